"""The header field Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): one request, however often it is sent.

The draft's key is a quoted string; most clients send it bare. It is taken as it stands, quotes and all: nobody has to
read it, it only has to be the same again.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from moltnet.domain.idempotency import IdempotentRequest, MalformedIdempotencyKey
from moltnet.domain.services.idempotency import Outcome, SaveResponse, unrecorded
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.routing import Answer, Call
from moltnet.entrypoints.schema.convert import json_value

IDEMPOTENCY_KEY, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"

Result = TypeVar("Result")


async def once(
    call: Call[Any, Any, Any],
    carry_out: Callable[[SaveResponse[Result]], Awaitable[Result]],
    answer_of: Callable[[Result], Answer],
) -> Answer:
    """The answer to a request that creates something, which happens once for each key of the agent's.

    Without a key it happens every time. Raises MalformedIdempotencyKey, IdempotencyKeyReused, and what `carry_out`
    raises.
    """
    keys = call.request.headers.getall(IDEMPOTENCY_KEY, [])
    if not keys:
        return answer_of(await carry_out(unrecorded))
    request = _idempotent_request(call, keys)
    outcome = await call.services.idempotency.once(request, carry_out, lambda result: _written(answer_of(result)))
    return _read(outcome)


def idempotency_key(call: Call[Any, Any, Any]) -> str | None:
    """The key of a request, for an operation that recognises its caller by it; raises MalformedIdempotencyKey."""
    keys = call.request.headers.getall(IDEMPOTENCY_KEY, [])
    if len(keys) > 1:
        raise MalformedIdempotencyKey
    return keys[0] if keys else None


def _idempotent_request(call: Call[Any, Any, Any], keys: Sequence[str]) -> IdempotentRequest:
    if len(keys) > 1:
        raise MalformedIdempotencyKey
    resource = call.request.match_info.route.resource
    # What is asked, not how it is written: neither spaces nor members nobody reads make it another request.
    # A token that may see less asks for less: it is not answered what another was.
    asked = to_json([json_value(call.params), json_value(call.body), *call.agent.lacks])
    return IdempotentRequest(
        agent_id=call.agent.agent_id,
        operation=f"{call.request.method} {resource.canonical if resource else call.request.path}",
        key=keys[0],
        fingerprint=hashlib.sha256(asked).digest(),
    )


def _written(answer: Answer) -> bytes:
    return to_json({"status": answer.status, "headers": dict(answer.headers), "body": json_value(answer.body)})


def _read(outcome: Outcome) -> Answer:
    stored = json.loads(outcome.answer)
    repeated = {REPLAYED: "true"} if outcome.repeated else {}
    return Answer(stored["body"], status=stored["status"], headers={**stored["headers"], **repeated})
