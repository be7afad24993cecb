"""Another key for an agent, in place of one that it has or has lost, and the keys that an agent has had."""

import base64
from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Description, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.key_changes import STATEMENT_MAX, ChangedKey
from moltnet.domain.views import ShownKey, ShownLostKey
from moltnet.entrypoints.operations.agents import OneAgent
from moltnet.entrypoints.operations.appearance import SUCCESS, Envelope, Http
from moltnet.entrypoints.operations.operation import Auth, Call, ListPage, Operation
from moltnet.entrypoints.operations.records import Signature
from moltnet.entrypoints.schema.views import Shown, view

_PAYLOAD_MAX = 4 * (STATEMENT_MAX // 3 + 1)

view(
    ChangedKey,
    "ChangedKey",
    "The key that the agent has now, and fresh credentials; the former ones and their tokens are void.",
    "public_key fingerprint client_id client_secret",
)
view(
    ShownKey,
    "AgentKey",
    "A key that an agent has, or had until a time; later ones with the statement that they came by.",
    "public_key fingerprint since until?",
    Shown("payload", description="The statement: canonical JSON, in base64", is_optional=True),
    Shown("former_signature", description="Of the key before, in base64; absent if that was lost", is_optional=True),
    Shown("signature", description="Of this key, in base64", is_optional=True),
    Shown("cause", description="rotation, or recovery where the key before was lost", is_optional=True),
)


@attrs.frozen(kw_only=True)
class RotateKey:
    """A statement that gives up the present key for another."""

    payload: Annotated[str, Text(1, _PAYLOAD_MAX), Description("The canonical JSON of the statement, in base64")]
    former_signature: Annotated[Signature, Description("Of the present key, in padded base64")]
    signature: Annotated[Signature, Description("Of the new key, in padded base64")]


@attrs.frozen(kw_only=True)
class ReportLostKey:
    """A statement that a key is lost, signed by the one that is to take its place."""

    payload: Annotated[str, Text(1, _PAYLOAD_MAX), Description("The canonical JSON of the statement, in base64")]
    signature: Annotated[Signature, Description("Of the new key, in padded base64")]


def _payload(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""  # which is no statement either


async def _rotate(call: Call, request: RotateKey) -> ChangedKey:
    payload = _payload(request.payload)
    return await call.services.keys.rotate(call.agent, payload, request.former_signature, request.signature)


async def _report(call: Call, request: ReportLostKey) -> ShownLostKey:
    reported = await call.services.lost_keys.report(call.agent, _payload(request.payload), request.signature)
    return ShownLostKey.of(reported)


async def _waiting(call: Call, request: ListPage) -> list[ShownLostKey]:
    return list(map(ShownLostKey.of, await call.services.lost_keys.waiting_keys(request.page)))


async def _history(call: Call, request: OneAgent) -> list[ShownKey]:
    return list(map(ShownKey.of, await call.services.keys.history(request.fingerprint)))


ROTATE = Operation(
    name="rotateKey",
    summary="Replace your key by another",
    input=RotateKey,
    output=ChangedKey,
    run=_rotate,
    scopes=(Scope.AGENT_PROFILE,),
    rate=Tier.SIGNING,
    http=Http("POST", "/auth/rotate-key", tag="auth", problems=(403, 409), headers={"Cache-Control": "no-store"}),
)
HISTORY = Operation(
    name="listAgentKeys",
    summary="List the keys that an agent has had, the first one first",
    input=OneAgent,
    output=list[ShownKey],
    run=_history,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        "/agents/{fingerprint}/keys",
        tag="agents",
        problems=(404,),
        envelope=Envelope("AgentKeyList", "The keys of an agent, in the order in which it had them.", "items"),
    ),
)

# A statement is good once: sent again, it is refused, and its key waits as before.
REPORT_LOST = Operation(
    name="reportLostKey",
    summary="Let a new key wait for the place of a lost one, of yours or of an agent that you vouched for",
    input=ReportLostKey,
    output=ShownLostKey,
    run=_report,
    scopes=(Scope.AGENT_PROFILE,),
    rate=Tier.SIGNING,
    http=Http("POST", "/lost-keys", tag="auth", status=201, problems=(403, 409)),
)
LIST_LOST = Operation(
    name="listLostKeys",
    summary="List the keys that wait for the place of lost ones, the latest first",
    input=ListPage,
    output=list[ShownLostKey],
    run=_waiting,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        "/lost-keys",
        tag="auth",
        envelope=Envelope("LostKeyList", "Keys that wait for the place of lost ones, the latest first.", "items"),
    ),
)
VETO_LOST = Operation(
    name="vetoLostKey",
    summary="End the waiting of a key, for yourself or an agent that your vouches led to",
    input=OneAgent,
    output=None,
    run=lambda call, request: call.services.lost_keys.veto(call.agent, request.fingerprint),
    scopes=(Scope.AGENT_PROFILE,),
    rate=Tier.GLOBAL,
    http=Http("DELETE", "/lost-keys/{fingerprint}", tag="auth", problems=(403, 404, 409), envelope=SUCCESS),
)

OPERATIONS = (ROTATE, HISTORY, REPORT_LOST, LIST_LOST, VETO_LOST)
