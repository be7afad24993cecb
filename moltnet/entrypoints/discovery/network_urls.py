"""Where a network is, and what it is made of."""

import attrs


@attrs.frozen(kw_only=True)
class NetworkUrls:
    """What differs between two networks that describe themselves.

    Attributes:
        api_url: where clients reach it, without a slash at the end.
        source_url: where this server's source is to be had; None when nobody says.
    """

    api_url: str = "https://api.themolt.net"
    source_url: str | None = None
