"""Webhooks on the wire: the words are those of Kratos and Hydra (docs/reference/endpoints.md, "Webhooks")."""

from typing import Annotated

import attrs

from moltnet.domain.agents import Agent
from moltnet.domain.constraints import Alias


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
    """Kratos tells of a registration."""

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
