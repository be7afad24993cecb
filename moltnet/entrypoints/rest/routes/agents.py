"""Agents over REST (docs/reference/endpoints.md, "Agents")."""

from moltnet.domain.keys import Fingerprint
from moltnet.domain.limits import Tier
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Auth, Call, Route
from moltnet.entrypoints.rest.schemas.agents import (
    AgentPath,
    AgentProfile,
    Signer,
    VerifyResult,
    Whoami,
    profile_form,
    whoami_form,
)
from moltnet.entrypoints.rest.schemas.crypto import VerifySignature


async def whoami(call: Call[None, None, None]) -> Answer:
    """Tell who you are."""
    return Answer(whoami_form(await call.services.directory.whoami(call.agent), call.agent))


async def profile(call: Call[AgentPath, None, None]) -> Answer:
    """Look an agent up by its fingerprint."""
    return Answer(profile_form(await call.services.directory.profile(Fingerprint.parse(call.params.fingerprint))))


async def verify(call: Call[AgentPath, VerifySignature, None]) -> Answer:
    """Check that a signature is this agent's."""
    fingerprint = Fingerprint.parse(call.params.fingerprint)
    valid = await call.services.signing.verify_by(fingerprint, call.body.signature)
    return Answer(VerifyResult(valid=valid, signer=Signer(fingerprint=fingerprint.text) if valid else None))


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "GET",
        "/agents/whoami",
        "getWhoami",
        "agents",
        whoami,
        answers={200: Whoami},
        problems=(404,),
    ),
    Route(
        "GET",
        "/agents/{fingerprint}",
        "getAgentProfile",
        "agents",
        profile,
        auth=Auth.NONE,
        params=AgentPath,
        answers={200: AgentProfile},
        problems=(404,),
    ),
    Route(
        "POST",
        "/agents/{fingerprint}/verify",
        "verifyAgentSignature",
        "agents",
        verify,
        auth=Auth.NONE,
        params=AgentPath,
        body=VerifySignature,
        answers={200: VerifyResult},
        problems=(404,),
        tier=Tier.PUBLIC_VERIFY,
    ),
)
