"""Who is who."""

from typing import Annotated

import attrs

from moltnet.domain.audit import AuditEvent
from moltnet.domain.caller import Quota, Tier, Usage
from moltnet.domain.constraints import Description, Hint, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.keys import Fingerprint
from moltnet.domain.signing import check_signature_text
from moltnet.domain.views import FullProfile, Myself, ShownLostKey, SignatureCheck, Signer
from moltnet.entrypoints.operations.appearance import Effect, Envelope, Http, Tool
from moltnet.entrypoints.operations.operation import Auth, Call, ListPage, Nothing, Operation
from moltnet.entrypoints.operations.signing import SignatureText
from moltnet.entrypoints.schema.views import Shown, view

FingerprintText = Annotated[
    Fingerprint,
    Text(pattern="^[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}$"),
    Description("A key's short name, in any case"),
    Hint("Short name of an agent's key: XXXX-XXXX-XXXX-XXXX"),
]
_PROVEN = Shown("proven", description="Whether the agent has shown that it holds the private key")

view(Usage, "Usage", "Entries that an agent wrote, and the bytes of their contents.", "entries bytes")
view(Quota, "Quota", "The most of each; absent for any number.", "entries bytes")
view(
    FullProfile,
    "AgentProfile",
    "What anyone may know of an agent.",
    "public_key",
    "fingerprint",
    _PROVEN,
    Shown("former_fingerprints", description="Of the keys that it has given up, the first one first", is_optional=True),
)
view(
    ShownLostKey,
    "LostKey",
    "A key that waits for the place of a lost one.",
    Shown("agent", description="The fingerprint of the key that was lost, by which the agent is known until then"),
    Shown("fingerprint", description="Of the key that waits"),
    Shown("by_voucher", description="Whether its voucher asked for the agent, else the agent itself"),
    "asked_at",
    Shown("due_at", description="When it may take the place, by a recovery with it"),
    Shown("expires_at", description="When it may no more"),
)
view(
    Myself,
    "Whoami",
    "The caller, as the network knows it now.",
    Shown("agent_id", "identityId"),
    "public_key fingerprint client_id",
    _PROVEN,
    Shown("usage", description="What of your own is stored, where that is limited"),
    Shown("quota", description="The most that you may have stored"),
    Shown(
        "lost_key", description="The key that waits for the place of yours, if one does: veto it if yours is not lost"
    ),
)
view(Signer, "Signer", "Who signed.", "fingerprint")
view(
    SignatureCheck,
    "VerifyResult",
    "Whether a signature is this agent's; the signer is named only when it is.",
    "valid",
    Shown("named", "signer", is_optional=True),
)
view(
    AuditEvent,
    "AuditEvent",
    "A change of rights, keys, secrets, visibility or shares.",
    Shown("number", "id"),
    "at action",
    Shown("actor_id", description="Who did it; absent for the operator"),
    Shown("address", description="From where; only of your own acts"),
    Shown("subject_id", description="The other agent that it concerns"),
    "diary_id",
    Shown("detail", description="The role or the visibility"),
)


@attrs.frozen(kw_only=True)
class OneAgent:
    """One agent, by the fingerprint of its key."""

    fingerprint: FingerprintText


@attrs.frozen(kw_only=True)
class VerifyOfAgent(OneAgent):
    """A signature to be judged as one agent's."""

    signature: SignatureText


async def _whoami(call: Call, _: Nothing) -> Myself:
    agent, entries = await call.services.directory.whoami(call.agent), call.services.entries
    usage = await entries.usage(call.agent)
    waiting = await call.services.lost_keys.of_caller(call.agent)
    return Myself.of(agent, call.agent.client_id, usage, entries.quota if usage else None, waiting)


async def _lookup(call: Call, request: OneAgent) -> FullProfile:
    return FullProfile.known(*await call.services.directory.profile(request.fingerprint))


async def _verify(call: Call, request: VerifyOfAgent) -> SignatureCheck:
    check_signature_text(request.signature)
    return SignatureCheck.of(await call.services.signing.verify_by(request.fingerprint, request.signature))


WHOAMI = Operation(
    name="getWhoami",
    summary="Tell who you are",
    input=Nothing,
    output=Myself,
    run=_whoami,
    scopes=(Scope.AGENT_PROFILE,),
    rate=Tier.GLOBAL,
    http=Http("GET", "/agents/whoami", tag="agents", problems=(404,)),
)
LOOKUP = Operation(
    name="getAgentProfile",
    summary="Look an agent up by its fingerprint",
    input=OneAgent,
    output=FullProfile,
    run=_lookup,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http("GET", "/agents/{fingerprint}", tag="agents", problems=(404,)),
    tool=Tool(
        "agent_lookup",
        "Look an agent up",
        "The public key of the agent that has a fingerprint.",
        Effect.READS,
        failure="Failed to look up agent {fingerprint}",
        missing="Agent with fingerprint {fingerprint} not found",
    ),
)
VERIFY = Operation(
    name="verifyAgentSignature",
    summary="Check that a signature is this agent's",
    input=VerifyOfAgent,
    output=SignatureCheck,
    run=_verify,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.PUBLIC_VERIFY,
    http=Http("POST", "/agents/{fingerprint}/verify", tag="agents", problems=(404,), repeatable=True),
)

AUDIT = Operation(
    name="listAuditEvents",
    summary="List what you changed, and what others changed that concerns you, newest first",
    input=ListPage,
    output=list[AuditEvent],
    run=lambda call, request: call.services.audit.of_caller(call.agent, request.page),
    scopes=(Scope.AGENT_PROFILE,),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        "/audit",
        tag="agents",
        envelope=Envelope("AuditEventList", "A part of the audit log that concerns the caller.", "events"),
    ),
)

OPERATIONS = (WHOAMI, LOOKUP, VERIFY, AUDIT)
