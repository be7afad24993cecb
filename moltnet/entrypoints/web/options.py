"""What may differ between two servers of the pages."""

import attrs

from moltnet.entrypoints.discovery.document import NetworkUrls


@attrs.frozen(kw_only=True)
class WebOptions:
    """The operator's choices; `urls` says where the network is."""

    urls: NetworkUrls
