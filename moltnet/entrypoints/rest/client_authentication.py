"""How a client proves itself at the token endpoint (RFC 6749 §2.3, RFC 7523 §2.2): by secret, or by assertion."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote_plus

import attrs

from moltnet.domain.assertions import ASSERTION_TYPE
from moltnet.domain.credentials import InvalidClient
from moltnet.domain.errors import Invalid
from moltnet.entrypoints.rest.schemas.registration import TokenRequest

_BASIC = "basic"


class AmbiguousClientAuthentication(Invalid):
    """A token request that proves its client in two ways, or half in one (RFC 6749 §5.2 `invalid_request`)."""

    code = "AMBIGUOUS_CLIENT_AUTHENTICATION"


@attrs.frozen(kw_only=True)
class ClientSecretShown:
    """A client's id and secret, from the body (`client_secret_post`) or the header (`client_secret_basic`)."""

    client_id: str
    client_secret: str = attrs.field(repr=False)


@attrs.frozen
class AssertionShown:
    """An assertion (`private_key_jwt`)."""

    text: str = attrs.field(repr=False)


def client_authentication(headers: Mapping[str, str], body: TokenRequest) -> ClientSecretShown | AssertionShown:
    """What a token request proves its client by; raises InvalidClient and AmbiguousClientAuthentication."""
    basic = _basic(headers.get("Authorization", ""))
    if body.client_assertion or body.client_assertion_type:
        return _assertion(body, others=basic is not None or bool(body.client_secret))
    if basic is None and body.client_secret and not body.client_id:
        # Version 1 of the official MCP package sends it so.
        raise InvalidClient("client_secret was sent without client_id; a client that leaves it out can use Basic")
    if basic is None:
        return ClientSecretShown(client_id=body.client_id, client_secret=body.client_secret)
    # Some clients repeat in the body what the header says.
    if body.client_id not in {"", basic.client_id} or body.client_secret not in {"", basic.client_secret}:
        raise AmbiguousClientAuthentication("The Authorization header and the body name different client credentials")
    return basic


def _assertion(body: TokenRequest, *, others: bool) -> AssertionShown:
    if body.client_assertion_type != ASSERTION_TYPE or not body.client_assertion:
        raise AmbiguousClientAuthentication(f"client_assertion needs the client_assertion_type {ASSERTION_TYPE}")
    if others:
        raise AmbiguousClientAuthentication("A token request proves its client in one way: by secret or by assertion")
    return AssertionShown(body.client_assertion)


def _basic(header: str) -> ClientSecretShown | None:
    """The credentials of the header, None when it is of another scheme; both parts are form-encoded."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != _BASIC:
        return None
    try:
        client_id, colon, secret = base64.b64decode(rest.strip(" "), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise InvalidClient from None
    if not colon:
        raise InvalidClient
    return ClientSecretShown(client_id=unquote_plus(client_id), client_secret=unquote_plus(secret))
