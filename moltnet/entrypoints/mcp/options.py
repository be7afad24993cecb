"""What may differ between two servers of this endpoint."""

import attrs

from moltnet.entrypoints.discovery.network_urls import NetworkUrls
from moltnet.entrypoints.rest.options import StreamLimits

STREAMS_PER_ADDRESS = 100


@attrs.frozen(kw_only=True)
class McpOptions:
    """The operator's choices.

    Attributes:
        place: where the network is.
        session_secret: what session ids are made by; all processes of a server share it.
        anonymous: whether clients without credentials are served what needs none; else they are refused from the start.
        streams: what each listening client may take; many agents may live at one address.
    """

    urls: NetworkUrls
    session_secret: bytes = attrs.field(repr=False)
    anonymous: bool = True
    streams: StreamLimits = attrs.field(factory=lambda: StreamLimits(per_address=STREAMS_PER_ADDRESS))
