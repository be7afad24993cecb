"""Routes made of operations: from a checked request to the input, from what is answered to JSON and its headers."""

from collections.abc import Callable
from typing import Any

import attrs

from moltnet.domain.versions import ANY_VERSION
from moltnet.entrypoints.operations.operation import AnyOperation
from moltnet.entrypoints.operations.operation import Call as OperationCall
from moltnet.entrypoints.rest.conditions import version_headers
from moltnet.entrypoints.rest.idempotency import once
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.schema.convert import json_value, reader
from moltnet.entrypoints.schema.declare import Members


def routes_of(operation: AnyOperation) -> tuple[AnyRoute, ...]:
    """The routes of an operation: one for its path, and one for each other that leads to it."""
    http = operation.http
    if http is None:
        return ()
    parts = http.parts(operation.form)
    read: Callable[[dict[str, object]], Any] = reader(operation.form)
    has_version = operation.versioned and operation.output is not None

    def answer(shown: object, request: object) -> Answer:
        headers = {**http.headers, **(version_headers(http.version_of(shown)) if has_version else {})}
        return Answer(operation.wrapped(shown, request), status=http.status_of(shown), headers=headers)

    async def handle(call: Call[Any, Any, Any]) -> Answer:
        sent = read({**(call.params or {}), **(call.body or {}), **_split(parts.query, call.query or {})})
        request = sent.to_input() if http.form else sent
        asked = OperationCall(
            services=call.services,
            caller=call.caller,
            expected=call.expected if route.takes_condition else ANY_VERSION,
        )
        if not operation.idempotent:
            return answer(await operation.run(asked, request), request)
        values = json_value(sent)
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


def _split(shape: Members | None, query: dict[str, object]) -> dict[str, object]:
    """The values of a query with lists in place of the texts that they stand in."""
    joined = {each.alias: each.joined for each in shape.members if each.joined} if shape else {}
    return query | {name: joined[name].split(value) for name, value in query.items() if name in joined}


def _part(shape: Members | None, values: object) -> dict[str, object] | None:
    """The members of a request that stand in one of its parts, with the defaults of those that were left out."""
    if shape is None or not isinstance(values, dict):
        return None
    return {member.alias: values[member.alias] for member in shape.members if member.alias in values}
