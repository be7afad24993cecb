"""Recovery challenges as their signer sees them: for which key, how old, and for which network.

A signature over a challenge takes an agent over, so a dishonest network that is asked for one may hand out another
network's. Part of a challenge's nonce is therefore derived from the address of the network that made it; a reader who
knows which address it asked can check that, without any secret.
"""

import hashlib
import ipaddress
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import attrs

from moltnet.domain.errors import Invalid
from moltnet.domain.keys import PublicKey

CHALLENGE_LIFETIME = timedelta(minutes=5)
RANDOM_BYTES = 16
BOUND_BYTES = 16

_BINDING_DOMAIN = "moltnet:recovery:network"
_CHALLENGE = re.compile(
    r"moltnet:recovery:(?P<key>ed25519:[A-Za-z0-9+/]{43}=):(?P<nonce>[0-9a-f]{64}):(?P<at>[0-9]{1,13})", re.ASCII
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class MalformedNetworkAddress(Invalid):
    """A text that is not an address with scheme and host."""

    code = "MALFORMED_NETWORK_ADDRESS"
    sentence = "The address of a network is an http or https URL"


class UnsafeChallenge(Invalid):
    """A text that is not signed as a recovery challenge; the sentence says why."""

    code = "UNSAFE_CHALLENGE"
    sentence = "The text is not a recovery challenge (moltnet:recovery:<key>:<nonce>:<time>); nothing was signed"


class ForeignChallenge(UnsafeChallenge):
    """A challenge that was not made for the network that was asked; `network` is its address."""

    code = "FOREIGN_CHALLENGE"

    def __init__(self, network: str, explanation: str | None = None) -> None:
        self.network = network
        reason = explanation or (
            "it was passed on from another network, or the network is of a release that does not name itself in "
            "challenges"
        )
        super().__init__(f"The recovery challenge was not made for {network}: {reason}. Nothing was signed")


@attrs.frozen
class NetworkAddress:
    """The address of a network in one form, whichever of its spellings somebody uses.

    Scheme and host in lower case, no default port, no slash at the end; the names of this machine's loopback interface
    are one host.
    """

    text: str

    @classmethod
    def of(cls, url: str) -> "NetworkAddress":
        """The address that a URL spells; raises MalformedNetworkAddress."""
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            raise MalformedNetworkAddress from None
        scheme = parts.scheme.lower()
        if scheme not in _DEFAULT_PORTS or not host:
            raise MalformedNetworkAddress
        port_suffix = "" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}"
        return cls(f"{scheme}://{_host(host)}{port_suffix}{parts.path.rstrip('/')}")

    def __str__(self) -> str:
        return self.text


def bound_nonce(random: bytes, key_text: str, network: NetworkAddress) -> str:
    """The 64 hex digits of a challenge's nonce: 16 random bytes, and 16 that bind them to key and network."""
    named = f"{_BINDING_DOMAIN}\0{network.text}\0{key_text}".encode("utf-8", "surrogatepass")
    return (random + hashlib.sha256(named + b"\0" + random).digest()[:BOUND_BYTES]).hex()


def check_signable(text: str, key: PublicKey, network: NetworkAddress, at: datetime) -> None:
    """Raises UnsafeChallenge unless a text is a challenge that may be signed with this key for this network.

    It must be recent by `at`, the signer's own time: a challenge is good for 5 minutes, and clocks may be as far apart.
    Raises ForeignChallenge when it is not bound to the network.
    """
    # 1. A challenge and nothing else, so that no other text is ever signed.
    match = _CHALLENGE.fullmatch(text)
    if match is None:
        raise UnsafeChallenge
    # 2. For the signer's own key.
    if match["key"] != key.text:
        raise UnsafeChallenge("The recovery challenge is for another key; nothing was signed")
    # 3. Recent: neither kept from earlier nor made for later.
    age = at - datetime.fromtimestamp(0, UTC) - timedelta(milliseconds=int(match["at"]))
    if abs(age) > CHALLENGE_LIFETIME:
        raise UnsafeChallenge(
            f"The recovery challenge is dated {abs(age)} {'before' if age > timedelta() else 'after'} this machine's "
            "time, which is too far; nothing was signed. Check this machine's clock"
        )
    # 4. Made for the network that was asked.
    if match["nonce"] != bound_nonce(bytes.fromhex(match["nonce"])[:RANDOM_BYTES], key.text, network):
        raise ForeignChallenge(network.text)


def _host(name: str) -> str:
    name = name.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return "localhost" if name.endswith(".localhost") else _ascii(name)
    if address.is_loopback:
        return "localhost"
    return f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - RFC 3986 §3.2.2


def _ascii(name: str) -> str:
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
