"""What may differ between two servers of the pages."""

import attrs

from moltnet.entrypoints.discovery.document import NetworkUrls


@attrs.frozen(kw_only=True)
class WebOptions:
    """The operator's choices.

    Attributes:
        urls: where the network is.
        operator_token: what opens the operator's page; None when nothing does.
        is_operators_machine: whether whoever reaches the server is taken for its operator.
    """

    urls: NetworkUrls
    operator_token: str | None = attrs.field(default=None, repr=False)
    is_operators_machine: bool = False
