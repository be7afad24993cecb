"""Routes made of operations: from a checked request to the input, from what is answered to JSON and its headers.

A request with the header field Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) is carried out once, however
often it is sent. The draft's key is a quoted string; most clients send it bare. It is taken as it stands, quotes and
all: nobody has to read it, it only has to be the same again.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from moltnet.domain.idempotency import IdempotentRequest, MalformedIdempotencyKey
from moltnet.domain.ids import ANY_VERSION
from moltnet.domain.services.requests import IdempotentOutcome, SaveResponse
from moltnet.entrypoints.operations.appearance import Http
from moltnet.entrypoints.operations.operation import AnyOperation
from moltnet.entrypoints.operations.operation import Call as OperationCall
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.request_parts import version_headers
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.schema.convert import json_value, reader
from moltnet.entrypoints.schema.declare import Members


def routes_of(operation: AnyOperation) -> tuple[AnyRoute, ...]:
    """The routes of an operation: one for its path, and one for each other that leads to it."""
    http = operation.http
    if http is None:
        return ()
    parts = http.parts(operation.input)
    read: Callable[[dict[str, object]], Any] = reader(operation.input)
    has_version = operation.versioned and operation.output is not None

    def answer(shown: object, request: object) -> Answer:
        headers = {**http.headers, **(version_headers(http.version_of(shown)) if has_version else {})}
        return Answer(operation.wrapped(shown, request), status=http.status_of(shown), headers=headers)

    async def handle(call: Call[Any, Any, Any]) -> Answer:
        request = read({**(call.params or {}), **(call.body or {}), **_split(http, parts.query, call.query or {})})
        asked = OperationCall(
            services=call.services, caller=call.caller, expected=call.expected if route.takes_condition else ANY_VERSION
        )
        if not operation.idempotent or IDEMPOTENCY_KEY not in call.request.headers:
            return answer(await operation.run(asked, request), request)
        values = json_value(request)
        named = attrs.evolve(call, params=_part(parts.params, values), body=_part(parts.body, values))
        return await once(
            named,
            lambda record: operation.run(attrs.evolve(asked, record=record), request),
            lambda shown: answer(shown, request),
        )

    route: AnyRoute = Route(
        http.method,
        http.path,
        operation.name,
        http.tag,
        handle,
        auth=operation.auth,
        scopes=operation.scopes,
        params=parts.params,
        body=parts.body,
        query=parts.query,
        answers=dict.fromkeys(http.statuses, operation.answer),
        problems=http.problems,
        tier=operation.rate,
        free_when_bare=http.free_when_bare,
        versioned=operation.versioned,
        idempotent=operation.idempotent,
        lists_errors=http.lists_errors,
        summary=operation.summary,
    )
    return route, *(attrs.evolve(route, path=path, documented=False) for path in http.aliases)


def _split(http: Http, shape: Members | None, query: Mapping[str, Any]) -> dict[str, object]:
    """The values of a query with lists in place of the texts that they stand in."""
    values = dict(query)
    for name, joined in http.joined_in(shape).items():
        apart = values.pop(joined.apart.alias, ()) if joined.apart else ()
        if name in values or apart:
            values[name] = [*joined.split(values.get(name, "")), *apart]
    return values


def _part(shape: Members | None, values: object) -> dict[str, object] | None:
    """The members of a request that stand in one of its parts, with the defaults of those that were left out."""
    if shape is None or not isinstance(values, dict):
        return None
    return {member.alias: values[member.alias] for member in shape.members if member.alias in values}


IDEMPOTENCY_KEY, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"

Result = TypeVar("Result")


async def once(
    call: Call[Any, Any, Any],
    carry_out: Callable[[SaveResponse[Result]], Awaitable[Result]],
    answer_of: Callable[[Result], Answer],
) -> Answer:
    """The answer to a request that creates something, which happens once for each key of the agent's.

    Raises MalformedIdempotencyKey, IdempotencyKeyReused, and what `carry_out` raises.
    """
    request = _idempotent_request(call, call.request.headers.getall(IDEMPOTENCY_KEY))
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


def _read(outcome: IdempotentOutcome) -> Answer:
    stored = json.loads(outcome.answer)
    repeated = {REPLAYED: "true"} if outcome.repeated else {}
    return Answer(stored["body"], status=stored["status"], headers={**stored["headers"], **repeated})
