"""Another key for an agent, and the keys that an agent has had."""

import base64
from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Description, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.key_changes import STATEMENT_MAX, ChangedKey
from moltnet.domain.views import ShownKey
from moltnet.entrypoints.operations.agents import OneAgent
from moltnet.entrypoints.operations.appearance import Envelope, Http
from moltnet.entrypoints.operations.operation import Auth, Call, Operation
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
    Shown("former_signature", description="Of the key before, in base64", is_optional=True),
    Shown("signature", description="Of this key, in base64", is_optional=True),
)


@attrs.frozen(kw_only=True)
class RotateKey:
    """A statement that gives up the present key for another."""

    payload: Annotated[str, Text(1, _PAYLOAD_MAX), Description("The canonical JSON of the statement, in base64")]
    former_signature: Annotated[Signature, Description("Of the present key, in padded base64")]
    signature: Annotated[Signature, Description("Of the new key, in padded base64")]


async def _rotate(call: Call, request: RotateKey) -> ChangedKey:
    try:
        payload = base64.b64decode(request.payload, validate=True)
    except ValueError:
        payload = b""  # which is no statement either
    return await call.services.keys.rotate(call.agent, payload, request.former_signature, request.signature)


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

OPERATIONS = (ROTATE, HISTORY)
