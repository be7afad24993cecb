"""The text forms of what proves who calls, both JSON Web Tokens (RFC 7519).

A token is in RS256, with the claims of docs/reference/ory.md, "Tokens"; a client assertion in EdDSA by the agent's own
key (RFC 7523, RFC 8037).
"""

import base64
import json
import math
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs
from joserfc import jws, jwt
from joserfc.errors import JoseError

from moltnet.adapters.builtin.keys import ALGORITHM, OpenKey
from moltnet.domain.agents import Agent
from moltnet.domain.challenges import ASSERTION_ALGORITHM, ClientAssertion, InvalidAssertion
from moltnet.domain.credentials import CLOCK_SKEW, TOKEN_LIFETIME, Client, InvalidToken, Scope, TokenClaims
from moltnet.domain.ids import AgentId, ClientId, parse_uuid
from moltnet.domain.keys import PublicKey
from moltnet.ports.keys import Signatures

TOKEN_MAX = 8192
_IDENTITY, _GENERATION = "moltnet:identity_id", "moltnet:generation"
# What the library raises for a text that is not a token, and what JSON of any other shape can raise.
_MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_REGISTRY = jws.JWSRegistry(algorithms=[ALGORITHM])


def token_claims(
    client: Client, agent: Agent, scopes: frozenset[Scope], token_id: UUID, at: datetime
) -> dict[str, object]:
    """What a token of this client says; it is good from now on for TOKEN_LIFETIME, in whole seconds, never less.

    Another host's clock may be behind: there it is good at once, too.
    """
    return {
        "sub": str(client.id),
        "client_id": str(client.id),
        "aud": [],
        "scp": sorted(scopes),
        "iat": math.floor(at.timestamp()),
        "nbf": math.floor((at - CLOCK_SKEW).timestamp()),
        "exp": math.ceil((at + TOKEN_LIFETIME).timestamp()),
        "jti": str(token_id),
        _IDENTITY: str(agent.id),
        "moltnet:public_key": agent.public_key.text,
        "moltnet:fingerprint": agent.fingerprint.text,
        _GENERATION: client.generation,
    }


def sign(issuer: str, claims: Mapping[str, object], key: OpenKey) -> str:
    """The token by which `issuer` says these claims."""
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, {"iss": issuer, **claims}, key.key)


@attrs.frozen
class ParsedToken:
    """A text of a token's form; nothing in it may be trusted but by `claims`."""

    kid: str
    _signature: jws.CompactSignature = attrs.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "ParsedToken":
        """A token's text taken apart. Raises InvalidToken unless it names RS256 and a key, whatever the text is."""
        if len(text) > TOKEN_MAX:
            raise InvalidToken
        try:
            signature = jws.extract_compact(text.encode("ascii"))
            header = signature.headers()
            kid, algorithm = header["kid"], header["alg"]
        except _MALFORMED as error:
            raise InvalidToken from error
        # The algorithm is ours to choose, never the token's (RFC 8725 §3.1).
        if algorithm != ALGORITHM or not isinstance(kid, str):
            raise InvalidToken
        return cls(kid, signature)

    def claims(self, key: OpenKey, *, issuer: str, at: datetime) -> TokenClaims:
        """What the token says, once its signature, its issuer and its time hold; raises InvalidToken.

        `iss` and `exp` must be there; no leeway is given.
        """
        try:
            # 1. Signed by the key it names.
            if not jws.validate_compact(self._signature, key.key, registry=_REGISTRY):
                raise InvalidToken
            payload = json.loads(self._signature.payload)
            # 2. By this network. 3. In its time.
            claims = _token_claims(payload)
            if payload["iss"] != issuer or not claims.good_at(at):
                raise InvalidToken
        except _MALFORMED as error:
            raise InvalidToken from error
        return claims


def _token_claims(payload: Mapping[str, object]) -> TokenClaims:
    scopes, generation = payload["scp"], payload[_GENERATION]
    if not isinstance(scopes, list) or type(generation) is not int:
        raise InvalidToken
    return TokenClaims(
        client_id=ClientId(_uuid(payload["client_id"])),
        agent_id=AgentId(_uuid(payload[_IDENTITY])),
        generation=generation,
        scopes=frozenset(map(Scope, scopes)),
        not_before=_seconds(payload.get("nbf", 0)),
        expires_at=_seconds(payload["exp"]),
    )


def _uuid(value: object) -> UUID:
    parsed = parse_uuid(value) if isinstance(value, str) else None
    if parsed is None:
        raise InvalidToken
    return parsed


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken
    return value


ASSERTION_MAX = 4096


@attrs.frozen(kw_only=True)
class ParsedAssertion:
    """An assertion's text taken apart; its claims may be trusted once `is_signed_by` says so."""

    claims: ClientAssertion
    _signed: bytes = attrs.field(repr=False)
    _signature: bytes = attrs.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "ParsedAssertion":
        """Raises InvalidAssertion unless it names EdDSA and has the claims of an assertion, whatever the text is."""
        if len(text) > ASSERTION_MAX:
            raise InvalidAssertion(f"A client assertion has at most {ASSERTION_MAX} characters")
        try:
            parts = jws.extract_compact(text.encode("ascii"))
            header, claims = parts.headers(), json.loads(parts.payload)
            signed = parts.segments["header"] + b"." + parts.segments["payload"]
            signature = base64.urlsafe_b64decode(parts.segments["signature"] + b"==")
        except _MALFORMED as error:
            raise InvalidAssertion from error
        # Algorithm and key are the network's to choose: what the header says of a key is not read (RFC 8725 §3.1).
        if header.get("alg") != ASSERTION_ALGORITHM or "crit" in header or not isinstance(claims, dict):
            raise InvalidAssertion(f"A client assertion is signed with alg {ASSERTION_ALGORITHM}, by the agent's key")
        return cls(claims=ClientAssertion.of(claims), signed=signed, signature=signature)

    def is_signed_by(self, key: PublicKey, signatures: Signatures) -> bool:
        """Whether an agent's key signed it, by the rule that holds for all signatures here."""
        return signatures.verify(key, self._signed, self._signature)
