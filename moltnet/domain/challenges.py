"""What an agent signs to prove itself, as its signer sees it: for which key, how old, and for which network.

A signature over a recovery challenge takes an agent over, so a dishonest network that is asked for one may hand out
another network's. Part of a challenge's nonce is therefore derived from the address of the network that made it; a
reader who knows which address it asked can check that, without any secret.

A client assertion is a JSON Web Token that its agent's key signed (RFC 7523 §2.2 and §3). Who takes such a token for
its own may use it elsewhere, so it names one network, lives for minutes and is valid once.
"""

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import attrs

from moltnet.domain.credentials import InvalidClient
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import ClientId, parse_uuid
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


ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_ALGORITHM = "EdDSA"
ASSERTION_LIFETIME_MAX = timedelta(minutes=5)
# How far a client's clock and the network's may be apart.
CLOCK_DIFFERENCE = timedelta(minutes=1)
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
TOKEN_ID_MAX = 255
_LATEST = datetime.max.replace(tzinfo=UTC).timestamp()


class InvalidAssertion(InvalidClient):
    """A client assertion that proves nothing; the sentence says why."""

    code = "INVALID_ASSERTION"
    sentence = "The client assertion is not a signed JSON Web Token with the claims iss, sub, aud, exp, iat and jti"


@attrs.frozen(kw_only=True)
class ClientAssertion:
    """What a client says of itself. `issued_at`, `not_before` and `expires_at` are Unix seconds."""

    client_id: ClientId
    audience: str
    token_id: str
    issued_at: float
    not_before: float
    expires_at: float

    @classmethod
    def of(cls, claims: Mapping[str, object]) -> "ClientAssertion":
        """The assertion with these claims; raises InvalidAssertion."""
        issued_at = _seconds(claims.get("iat"))
        return cls(
            client_id=_client_id(claims.get("iss"), claims.get("sub")),
            audience=_sole_audience(claims.get("aud")),
            token_id=_token_id(claims.get("jti")),
            issued_at=issued_at,
            not_before=_seconds(claims.get("nbf", issued_at)),
            expires_at=_seconds(claims.get("exp")),
        )

    def check(self, network: NetworkAddress, at: datetime) -> None:
        """Raises InvalidAssertion unless it is meant for this network and its time is now."""
        # 1. For this network: its issuer name, or its token endpoint (RFC 7523 §3, step 3).
        if not _names(self.audience, network):
            raise InvalidAssertion(f"aud must be {network.text}, this network's issuer")
        # 2. Not from the future, 3. not over, 4. and of a short life.
        now, clocks = at.timestamp(), CLOCK_DIFFERENCE.total_seconds()
        if max(self.issued_at, self.not_before) > now + clocks:
            raise InvalidAssertion("The client assertion is not valid yet; check the clock")
        if self.expires_at <= now:
            raise InvalidAssertion("The client assertion has expired")
        longest = ASSERTION_LIFETIME_MAX.total_seconds()
        if self.expires_at > now + longest + clocks or self.issued_at < now - longest - clocks:
            raise InvalidAssertion(f"A client assertion lives for {longest:.0f} seconds at most, from iat to exp")

    @property
    def nonce(self) -> str:
        """What is stored of it, so that it is valid once; of one length whatever the client wrote."""
        named = f"{self.client_id}\0{self.token_id}".encode("utf-8", "surrogatepass")
        return f"assertion:{hashlib.sha256(named).hexdigest()}"

    @property
    def forgotten_at(self) -> datetime:
        """When the nonce may be forgotten; only for one that was checked, whose time is bounded."""
        return datetime.fromtimestamp(self.expires_at, UTC)


def _names(audience: str, network: NetworkAddress) -> bool:
    try:
        named = NetworkAddress.of(audience).text
    except MalformedNetworkAddress:
        return False
    return named in {network.text, network.text + TOKEN_PATH}


def _client_id(issuer: object, subject: object) -> ClientId:
    parsed: UUID | None = parse_uuid(subject) if isinstance(subject, str) and issuer == subject else None
    if parsed is None:
        raise InvalidAssertion("iss and sub must both be the client id")
    return ClientId(parsed)


def _sole_audience(value: object) -> str:
    # Several audiences would let each of them use the assertion at the others.
    values = value if isinstance(value, list) else [value]
    if len(values) != 1 or not isinstance(values[0], str):
        raise InvalidAssertion("aud must name one audience")
    return values[0]


def _token_id(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= TOKEN_ID_MAX:
        raise InvalidAssertion(f"jti must be a text of 1 to {TOKEN_ID_MAX} characters")
    return value


def _seconds(value: object) -> float:
    # Written so that NaN is refused too: it is neither more nor less than anything.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LATEST:
        raise InvalidAssertion("exp, iat and nbf must be numbers of seconds")
    return value
