"""A token of Hydra's as a text: what it says, and what can be told of it by the published keys alone.

Source: docs/reference/ory.md, "Tokens".

Some tokens are surely no good, and cost no call; some surely are; of the rest only Hydra knows. The steps are those of
RFC 7519 §7.2; `iss` and `exp` must be there.
"""

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import attrs
from joserfc import jws
from joserfc.errors import JoseError

from moltnet.adapters.ory.published_keys import ALGORITHMS, PublishedKey
from moltnet.domain.credentials import InvalidToken
from moltnet.domain.ids import AgentId, parse_uuid

TOKEN_MAX = 8192
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1
_OPAQUE = ("ory_at_", "ory_ht_")
_AGENT = ("moltnet:identity_id", "moltnet:public_key", "moltnet:fingerprint")
_MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_REGISTRY = jws.JWSRegistry(algorithms=list(ALGORITHMS))


@attrs.frozen(kw_only=True)
class VerifiedClaims:
    """What a good token says. `agent_id` is None when it names no agent; `carries_scopes` counts foreign ones too."""

    client_id: str
    agent_id: AgentId | None
    scopes: frozenset[str]
    issued_at: float


@attrs.frozen(kw_only=True)
class Expected:
    """What a token must say of itself. `issuers` has both slash forms; an audience must name one of `audiences`."""

    issuers: frozenset[str]
    audiences: frozenset[str]

    @classmethod
    def of(cls, issuer: str, audiences: Collection[str]) -> "Expected":
        """By the issuer that Hydra is set up with, written with or without its last slash, and our own addresses."""
        plain = issuer.rstrip("/")
        ours = {each.rstrip("/") for each in audiences}
        return cls(issuers=frozenset({plain, f"{plain}/"}), audiences=frozenset(ours | {f"{each}/" for each in ours}))


def is_token(text: str) -> bool:
    """Whether a text has the form of a bearer token at all."""
    return len(text) <= TOKEN_MAX and _BEARER.fullmatch(text) is not None


def is_jwt(text: str) -> bool:
    """Whether a text has the three parts of a signed token."""
    return not text.startswith(_OPAQUE) and len(text.split(".")) == 3 and all(text.split("."))  # noqa: PLR2004


@attrs.frozen
class SignedToken:
    """A signed token taken apart; nothing in it may be trusted but by `verified`."""

    kid: str
    algorithm: str
    _signature: jws.CompactSignature = attrs.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "SignedToken | None":
        """The token, or None when its algorithm is none that is verified here. Raises InvalidToken.

        `none` and the shared secrets (HS…) are refused outright: Hydra signs with neither.
        """
        try:
            signature = jws.extract_compact(text.encode("ascii"))
            header = signature.headers()
            kid, algorithm = header["kid"], header["alg"]
        except _MALFORMED as error:
            raise InvalidToken from error
        if not isinstance(kid, str) or not isinstance(algorithm, str):
            raise InvalidToken
        if algorithm.lower() == "none" or algorithm.upper().startswith("HS"):
            raise InvalidToken
        return cls(kid, algorithm, signature) if algorithm in ALGORITHMS else None

    def verified(self, key: PublishedKey, expected: Expected, at: datetime) -> VerifiedClaims | None:
        """What the token says, once all holds; None when only its issuer is not the expected one.

        Raises InvalidToken. No leeway is given.
        """
        try:
            # 1. Made for the algorithm it names, and signed by the key it names.
            if key.algorithm != self.algorithm:
                raise InvalidToken
            if not jws.validate_compact(self._signature, key.key, registry=_REGISTRY):
                raise InvalidToken
            claims = json.loads(self._signature.payload)
            # 2. Says who issued it and until when.
            issuer, expires_at = claims["iss"], claims["exp"]
            # 3. In its time. 4. For us.
            check_time(expires_at, claims.get("nbf"), at)
            check_audience(claims.get("aud"), expected)
            if issuer not in expected.issuers:
                return None
            return _token_claims(claims)
        except _MALFORMED as error:
            raise InvalidToken from error


def introspected(answer: Mapping[str, Any], expected: Expected, at: datetime) -> VerifiedClaims:
    """What Hydra says of an active token (RFC 7662 §2.2); raises InvalidToken for one that is not good for us."""
    if answer.get("active") is not True or answer.get("token_use", "access_token") != "access_token":
        raise InvalidToken
    try:
        check_time(answer["exp"], answer.get("nbf"), at)
        check_audience(answer.get("aud"), expected)
        return _token_claims(answer)
    except _MALFORMED as error:
        raise InvalidToken from error


def check_time(expires_at: object, not_before: object, at: datetime) -> None:
    """Refuses a token before its time, and on or after its end (RFC 7519 §4.1.4, §4.1.5)."""
    now = at.timestamp()
    if not _seconds(0 if not_before is None else not_before) <= now < _seconds(expires_at):
        raise InvalidToken


def check_audience(audience: object, expected: Expected) -> None:
    """Refuses a token that was asked for somebody else alone; one without an audience is for anyone."""
    named = {audience} if isinstance(audience, str) else set(audience or ())  # type: ignore[call-overload]
    if named and not named & expected.audiences:
        raise InvalidToken


def _token_claims(claims: Mapping[str, Any]) -> VerifiedClaims:
    client_id = claims.get("client_id") or claims["sub"]
    if not isinstance(client_id, str) or not client_id:
        raise InvalidToken
    return VerifiedClaims(
        client_id=client_id,
        agent_id=_agent(claims) or _agent(claims.get("ext")),
        scopes=_scopes(claims.get("scope") or claims.get("scp")),
        issued_at=_seconds(claims.get("iat", 0)),
    )


def _agent(claims: object) -> AgentId | None:
    """The agent that claims name, when all three are there (docs/reference/ory.md, "Tokens")."""
    found_value = [claims.get(name) for name in _AGENT] if isinstance(claims, dict) else []
    if not found_value or not all(isinstance(each, str) and each for each in found_value):
        return None
    found = parse_uuid(str(found_value[0]))
    if found is None:
        raise InvalidToken
    return AgentId(found)


def _scopes(found_value: object) -> frozenset[str]:
    if found_value is None:
        return frozenset()
    if isinstance(found_value, str):
        return frozenset(found_value.split())
    if not isinstance(found_value, list):
        raise InvalidToken
    return frozenset(map(str, found_value))


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken
    return value
