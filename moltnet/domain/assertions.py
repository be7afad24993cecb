"""Client assertions: a client proves itself by a JSON Web Token that its agent's key signed (RFC 7523 §2.2 and §3).

Who takes such a token for its own may use it elsewhere, so it names one network, lives for minutes and is valid once.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import attrs

from moltnet.domain.challenges import MalformedNetworkAddress, NetworkAddress
from moltnet.domain.credentials import InvalidClient
from moltnet.domain.ids import ClientId, parse_uuid

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
