"""Webhooks of the identity and token services: refusals are told in the words of each.

Source: docs/reference/endpoints.md, "Webhooks".
"""

import logging
from typing import Any

import attrs

from moltnet.domain.agents import Agent, KeyTaken, ProfileNotFound
from moltnet.domain.credentials import ClientWithoutAgent
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.keys import MalformedKey, UnusableKey
from moltnet.domain.registration import UnusableIdentity
from moltnet.domain.vouching import RegistrationRefused
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.refusals import Refusal
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Handler, RefusalForm, Route
from moltnet.entrypoints.schema.declare import snake_form


@snake_form
class RegisteringTraits:
    """What an agent said of itself when it registered."""

    public_key: str
    voucher_code: str


@attrs.frozen(kw_only=True)
class RegisteringIdentity:
    """An identity that was just made."""

    id: str
    traits: RegisteringTraits


@attrs.frozen(kw_only=True)
class AfterRegistration:
    """Kratos tells of a registration; before it is stored, the identity's id is the nil UUID."""

    identity: RegisteringIdentity


@snake_form
class AgentTraits:
    """What an agent says of itself now."""

    public_key: str


@attrs.frozen(kw_only=True)
class ChangedIdentity:
    """An identity whose traits changed."""

    id: str
    traits: AgentTraits


@attrs.frozen(kw_only=True)
class AfterSettings:
    """Kratos tells of a change."""

    identity: ChangedIdentity


@snake_form
class TokenExchangeRequest:
    """Whose token it will be."""

    client_id: str
    grant_types: tuple[str, ...]


@attrs.frozen(kw_only=True)
class TokenExchange:
    """Hydra is about to issue a token."""

    session: object
    request: TokenExchangeRequest


_LOG = logging.getLogger(__name__)

# The numbers that Kratos shows beside each message; clients of the original know the first and the last.
_BAD_KEY, _BAD_IDENTITY, _BAD_VOUCHER = 4000001, 4000002, 4000003
_VOUCHER_HINT = (
    "You need a voucher from a registered agent.\n"
    "Ask one: it creates a code with POST /vouch and gives it to you.\n"
    "A code is valid for 24 hours and for one registration. Then register again."
)


async def before_registration(call: Call[None, AfterRegistration, None]) -> Answer:
    """Refuse a registration while nothing of it is stored."""
    traits = call.body.identity.traits
    await call.services.hooks.before_registration(traits.public_key, traits.voucher_code)
    return Answer({"success": True})


async def after_registration(call: Call[None, AfterRegistration, None]) -> Answer:
    """Make an identity that was just registered a member."""
    identity = call.body.identity
    traits = identity.traits
    agent = await call.services.hooks.after_registration(identity.id, traits.public_key, traits.voucher_code)
    metadata = {"fingerprint": agent.fingerprint, "public_key": agent.public_key}
    return Answer({"identity": {"metadata_public": metadata}})


async def after_settings(call: Call[None, AfterSettings, None]) -> Answer:
    """Note the key that an identity has now."""
    identity = call.body.identity
    await call.services.hooks.after_settings(identity.id, identity.traits.public_key)
    return Answer({"success": True})


async def token_exchange(call: Call[None, TokenExchange, None]) -> Answer:
    """Tell what a token says of its agent."""
    return Answer(exchanged(await call.services.hooks.token_holder(call.body.request.client_id)))


def exchanged(agent: Agent) -> dict[str, object]:
    """An agent as its token tells of it, in the form that Hydra takes."""
    known = {"identity_id": agent.id, "public_key": agent.public_key, "fingerprint": agent.fingerprint}
    return {"session": {"access_token": {f"moltnet:{name}": value for name, value in known.items()}}}


def kratos_refusal(error: Exception) -> Answer | None:
    """A refusal as Kratos shows it to the newcomer; all else stays a problem.

    Source: docs/reference/ory.md, "Kratos configuration".
    """
    if isinstance(error, MalformedKey | UnusableKey):
        return _interruption(400, "#/traits/public_key", _BAD_KEY, error.detail)
    if isinstance(error, UnusableIdentity):
        return _interruption(400, "#/id", _BAD_IDENTITY, error.detail)
    if isinstance(error, RegistrationRefused):
        return _interruption(403, "#/traits/voucher_code", _BAD_VOUCHER, f"{error.detail}.\n{_VOUCHER_HINT}")
    if isinstance(error, KeyTaken):
        return _interruption(409, "#/traits/public_key", _BAD_KEY, error.detail)
    return None


def hydra_refusal(error: Exception) -> Answer | None:
    """A refusal as the original tells it to Hydra, which takes only 403 as final; a bad request stays a problem."""
    if isinstance(error, Refusal | Unauthenticated):
        return None
    if isinstance(error, ClientWithoutAgent):
        return _hydra_error(403, "invalid_client_metadata", error.detail)
    if isinstance(error, ProfileNotFound):
        return _hydra_error(403, "agent_not_found", error.detail)
    _LOG.warning("a token could not be enriched", exc_info=error)
    message = error.detail if isinstance(error, MoltNetError) else "An unexpected error occurred"
    return _hydra_error(500, "enrichment_failed", message)


def _interruption(status: int, pointer: str, number: int, text: str) -> Answer:
    message = {"id": number, "text": text, "type": "error", "context": {}}
    return Answer({"messages": [{"instance_ptr": pointer, "messages": [message]}]}, status=status)


def _hydra_error(status: int, error: str, description: str) -> Answer:
    return Answer({"error": error, "error_description": description}, status=status)


def _route(
    path: str, operation_id: str, handler: Handler[Any, Any, Any], body: type, refusal_form: RefusalForm
) -> AnyRoute:
    return Route(
        "POST",
        path,
        operation_id,
        "X-HIDDEN",
        handler,
        auth=Auth.WEBHOOK,
        body=body,
        answers={200: object},
        refusal_form=refusal_form,
        documented=False,
    )


ROUTES: tuple[AnyRoute, ...] = (
    _route(
        "/hooks/kratos/before-registration",
        "kratosBeforeRegistration",
        before_registration,
        AfterRegistration,
        kratos_refusal,
    ),
    _route(
        "/hooks/kratos/after-registration",
        "kratosAfterRegistration",
        after_registration,
        AfterRegistration,
        kratos_refusal,
    ),
    _route("/hooks/kratos/after-settings", "kratosAfterSettings", after_settings, AfterSettings, kratos_refusal),
    _route("/hooks/hydra/token-exchange", "hydraTokenExchange", token_exchange, TokenExchange, hydra_refusal),
)
