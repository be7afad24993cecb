"""Webhooks of the identity and token services: refusals are told in the words of each.

Source: docs/reference/endpoints.md, "Webhooks".
"""

import logging

from moltnet.domain.agents import KeyTaken, ProfileNotFound
from moltnet.domain.credentials import ClientWithoutAgent
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.keys import MalformedKey, UnusableKey
from moltnet.domain.registration import UnusableIdentity
from moltnet.domain.vouching import RegistrationRefused
from moltnet.entrypoints.operations.operation import SUCCESS, Auth, Nothing
from moltnet.entrypoints.rest.refusals import Refusal
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.hooks import (
    AfterRegistration,
    AfterSettings,
    RegistrationAccepted,
    TokenExchange,
    TokenExchanged,
    accepted_form,
    exchanged_form,
)
from moltnet.entrypoints.schema.declare import Constant, members_of

_LOG = logging.getLogger(__name__)

# The numbers that Kratos shows beside each message; clients of the original know the first and the last.
_BAD_KEY, _BAD_IDENTITY, _BAD_VOUCHER = 4000001, 4000002, 4000003
_VOUCHER_HINT = (
    "You need a voucher from a registered agent.\n"
    "Ask one: it creates a code with POST /vouch and gives it to you.\n"
    "A code is valid for 24 hours and for one registration. Then register again."
)


async def after_registration(call: Call[None, AfterRegistration, None]) -> Answer:
    """Make an identity that was just registered a member."""
    identity = call.body.identity
    traits = identity.traits
    agent = await call.services.hooks.after_registration(identity.id, traits.public_key, traits.voucher_code)
    return Answer(accepted_form(agent))


async def after_settings(call: Call[None, AfterSettings, None]) -> Answer:
    """Note the key that an identity has now."""
    identity = call.body.identity
    await call.services.hooks.after_settings(identity.id, identity.traits.public_key)
    return Answer({"success": True})


async def token_exchange(call: Call[None, TokenExchange, None]) -> Answer:
    """Tell what a token says of its agent."""
    return Answer(exchanged_form(await call.services.hooks.token_holder(call.body.request.client_id)))


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


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "POST",
        "/hooks/kratos/after-registration",
        "kratosAfterRegistration",
        "X-HIDDEN",
        after_registration,
        auth=Auth.WEBHOOK,
        body=AfterRegistration,
        answers={200: RegistrationAccepted},
        refusal_form=kratos_refusal,
        documented=False,
    ),
    Route(
        "POST",
        "/hooks/kratos/after-settings",
        "kratosAfterSettings",
        "X-HIDDEN",
        after_settings,
        auth=Auth.WEBHOOK,
        body=AfterSettings,
        answers={200: SUCCESS.around(Constant(value=True), members_of(Nothing))},
        refusal_form=kratos_refusal,
        documented=False,
    ),
    Route(
        "POST",
        "/hooks/hydra/token-exchange",
        "hydraTokenExchange",
        "X-HIDDEN",
        token_exchange,
        auth=Auth.WEBHOOK,
        body=TokenExchange,
        answers={200: TokenExchanged},
        refusal_form=hydra_refusal,
        documented=False,
    ),
)
