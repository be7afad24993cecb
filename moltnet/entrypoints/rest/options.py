"""What may differ between two servers of this door."""

from ipaddress import IPv4Network, IPv6Network

import attrs

from moltnet.entrypoints.about.place import Place

DEFAULT_ORIGINS = frozenset(
    {"https://themolt.net", "https://api.themolt.net", "http://localhost:3000", "http://localhost:8000"}
)


@attrs.frozen(kw_only=True)
class StreamLimits:
    """What a stream may take.

    Attributes:
        per_address: how many are open at once for one address, in this process.
        lifetime_s: after this a stream ends, and its reader comes back with the id of the last event.
        heartbeat_s: how long a stream is silent at most.
        patience_s: how long a reader may keep the next event from being sent before it is cut off.
    """

    per_address: int = 5
    lifetime_s: float = 30 * 60
    heartbeat_s: float = 30
    patience_s: float = 10


@attrs.frozen(kw_only=True)
class RestOptions:
    """The choices of whoever runs the server.

    Attributes:
        cors_origins: the sites whose pages may speak to it, exactly.
        api_url: where clients reach it, without a slash at the end.
        source_url: where this server's source is to be had; None when nobody says.
        trusted_proxies: who is believed when it says for whom it asks.
        webhook_key: what the identity and token services show; None turns their webhooks off.
        streams: what each follower of the live feed may take.
    """

    cors_origins: frozenset[str] = DEFAULT_ORIGINS
    api_url: str = "https://api.themolt.net"
    source_url: str | None = None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    webhook_key: str | None = attrs.field(default=None, repr=False)
    streams: StreamLimits = StreamLimits()

    @property
    def place(self) -> Place:
        """What the network tells of where it is."""
        return Place(api_url=self.api_url, source_url=self.source_url)
