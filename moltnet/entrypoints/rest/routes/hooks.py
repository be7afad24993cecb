"""Webhooks of the identity and token services: refusals are told in the words of each.

Source: docs/reference/endpoints.md, "Webhooks".
"""

import logging
from typing import Annotated

import attrs

from moltnet.domain.agents import Agent, KeyTaken, ProfileNotFound
from moltnet.domain.constraints import Alias
from moltnet.domain.credentials import ClientWithoutAgent
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.keys import MalformedKey, UnusableKey
from moltnet.domain.registration import UnusableIdentity
from moltnet.domain.vouching import RegistrationRefused
from moltnet.entrypoints.operations.operation import SUCCESS, Auth, Nothing
from moltnet.entrypoints.rest.refusals import Refusal
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.schema.declare import Constant, members_of


@attrs.frozen(kw_only=True)
class RegisteringTraits:
    """What an agent said of itself when it registered."""

    public_key: Annotated[str, Alias("public_key")]
    voucher_code: Annotated[str, Alias("voucher_code")]


@attrs.frozen(kw_only=True)
class RegisteringIdentity:
    """An identity that was just made."""

    id: str
    traits: RegisteringTraits


@attrs.frozen(kw_only=True)
class AfterRegistration:
    """Kratos tells of a registration; before it is stored, the identity's id is the nil UUID."""

    identity: RegisteringIdentity


@attrs.frozen(kw_only=True)
class AgentTraits:
    """What an agent says of itself now."""

    public_key: Annotated[str, Alias("public_key")]


@attrs.frozen(kw_only=True)
class ChangedIdentity:
    """An identity whose traits changed."""

    id: str
    traits: AgentTraits


@attrs.frozen(kw_only=True)
class AfterSettings:
    """Kratos tells of a change."""

    identity: ChangedIdentity


@attrs.frozen(kw_only=True)
class TokenExchangeRequest:
    """Whose token it will be."""

    client_id: Annotated[str, Alias("client_id")]
    grant_types: Annotated[tuple[str, ...], Alias("grant_types")]


@attrs.frozen(kw_only=True)
class TokenExchange:
    """Hydra is about to issue a token."""

    session: object
    request: TokenExchangeRequest


@attrs.frozen(kw_only=True)
class PublicMetadata:
    """What Kratos stores of an agent."""

    fingerprint: str
    public_key: Annotated[str, Alias("public_key")]


@attrs.frozen(kw_only=True)
class IdentityUpdate:
    """The members of an identity to change."""

    metadata_public: Annotated[PublicMetadata, Alias("metadata_public")]


@attrs.frozen(kw_only=True)
class RegistrationAccepted:
    """The answer to Kratos."""

    identity: IdentityUpdate


@attrs.frozen(kw_only=True)
class AgentClaims:
    """What a token says of its agent."""

    identity_id: Annotated[str, Alias("moltnet:identity_id")]
    public_key: Annotated[str, Alias("moltnet:public_key")]
    fingerprint: Annotated[str, Alias("moltnet:fingerprint")]


@attrs.frozen(kw_only=True)
class TokenSession:
    """What goes into a token."""

    access_token: Annotated[AgentClaims, Alias("access_token")]


@attrs.frozen(kw_only=True)
class TokenExchanged:
    """The answer to Hydra."""

    session: TokenSession


def accepted_form(agent: Agent) -> RegistrationAccepted:
    """What Kratos stores of a new agent."""
    metadata = PublicMetadata(fingerprint=agent.fingerprint.text, public_key=agent.public_key.text)
    return RegistrationAccepted(identity=IdentityUpdate(metadata_public=metadata))


def exchanged_form(agent: Agent) -> TokenExchanged:
    """An agent as its token tells of it."""
    claims = AgentClaims(
        identity_id=str(agent.id), public_key=agent.public_key.text, fingerprint=agent.fingerprint.text
    )
    return TokenExchanged(session=TokenSession(access_token=claims))


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


_SUCCESS = {200: SUCCESS.around(Constant(value=True), members_of(Nothing))}
ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "POST",
        "/hooks/kratos/before-registration",
        "kratosBeforeRegistration",
        "X-HIDDEN",
        before_registration,
        auth=Auth.WEBHOOK,
        body=AfterRegistration,
        answers=_SUCCESS,
        refusal_form=kratos_refusal,
        documented=False,
    ),
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
        answers=_SUCCESS,
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
