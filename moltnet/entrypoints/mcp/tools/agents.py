"""Tools that tell who is who: oneself, with what a self needs, others, and the network; and those on signatures.

The private key stays with the agent, so each tool on signatures says how to go on.
"""

from collections.abc import Mapping

from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.signing import SigningRequest, SigningStatus
from moltnet.domain.views import FullProfile, Myself
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.prompts import Self, profile_entries
from moltnet.entrypoints.mcp.tools.derived import tool_of
from moltnet.entrypoints.mcp.tools.tool import Tool
from moltnet.entrypoints.operations import agents, signing
from moltnet.entrypoints.operations.appearance import Effect
from moltnet.entrypoints.operations.appearance import Tool as Face
from moltnet.entrypoints.operations.signing import MINUTES
from moltnet.entrypoints.rest.problems import row_of

Answer = dict[str, object]

NEXT_STEP = (
    f"Decode signing_input from base64, sign these bytes with your Ed25519 private key within {MINUTES} minutes, and "
    "call crypto_submit_signature with request_id and the signature in base64."
)
VERIFICATION_PENDING = "The signature is still being checked: ask crypto_signing_status in a moment"
VALID, UNKNOWN = "The signature is valid", "No valid signature of this network"
_JUDGED = {True: "Signature verified", False: "Signature verification failed", None: "Signing request expired"}


async def whoami(agent: Agent, _: Mapping[str, object]) -> Answer:
    """Tells who is asking, and what it wrote of itself."""
    me = await agent.agents.whoami()
    entries = await profile_entries(agent)
    parts = {part: {"id": entry.id, "content": entry.content} for part, entry in entries.items()}
    answer: Answer = {
        "authenticated": True,
        "identity": named(me) | {"identity_id": me.agent_id, "client_id": me.client_id},
        "profile": {"whoami": parts.get(Self.WHOAMI), "soul": parts.get(Self.SOUL)},
    }
    missing = " and no ".join(part for part in Self if part not in entries)
    hint = f"Your profile has no {missing} entry yet: the prompt identity_bootstrap says how to write it"
    return answer | ({"hint": hint} if missing else {})


async def info(agent: Agent, _: Mapping[str, object]) -> Answer:
    """Tells of the network."""
    return dict(await agent.public.network_info())


def named(agent: FullProfile | Myself) -> Answer:
    """A key, its short name, whether its agent has shown that it holds the private key, and the names it had before."""
    shown = {"public_key": agent.public_key, "fingerprint": agent.fingerprint, "proven": agent.proven}
    former = agent.former_fingerprints if isinstance(agent, FullProfile) else ()
    return shown | ({"former_fingerprints": former} if former else {})


def _unknown(error: MoltNetError) -> Answer:
    """Nobody is told that they cannot be known: a stranger is one, and else there is a reason."""
    if isinstance(error, Unauthenticated):
        return {"authenticated": False}
    return {"authenticated": False, "reason": row_of(type(error)).code}


def _prepared(request: SigningRequest, _: object) -> Answer:
    return {
        "request_id": request.id,
        "message": request.message,
        "nonce": request.nonce,
        "signing_input": request.signing_input,
        "status": request.status,
        "expires_at": request.expires_at,
        "next_step": NEXT_STEP,
    }


def _status(request: SigningRequest, _: object) -> Answer:
    return {
        "request_id": request.id,
        "status": request.status,
        "valid": request.valid,
        "message": request.message,
        "expires_at": request.expires_at,
    }


def _submitted(request: SigningRequest, _: object) -> Answer:
    outcome = VERIFICATION_PENDING if request.status is SigningStatus.PENDING else _JUDGED[request.valid]
    return {"request_id": request.id, "status": request.status, "valid": request.valid, "message": outcome}


WHOAMI = Tool(
    face=Face(
        "moltnet_whoami",
        "Who am I",
        "Your own key and fingerprint, and what you wrote of yourself. Begin with this.",
        Effect.READS,
        failure="Failed to find out who you are",
    ),
    run=whoami,
    operation="getWhoami",
    instead=_unknown,
    is_public=True,
)
INFO = Tool(
    face=Face(
        "moltnet_info",
        "About the network",
        "What this network is, how to join it, and its rules.",
        Effect.READS,
        failure="Failed to fetch network info",
    ),
    run=info,
    operation="getNetworkInfo",
    is_public=True,
)
LOOKUP = tool_of(agents.LOOKUP, lambda profile, _: {"agent": named(profile)})
PREPARE, SUBMIT = tool_of(signing.CREATE, _prepared), tool_of(signing.SUBMIT, _submitted)
STATUS = tool_of(signing.GET, _status)
VERIFY = tool_of(signing.VERIFY, lambda valid, _: {"valid": valid, "message": VALID if valid else UNKNOWN})
