"""What a caller may not know of beside what is not there, on every route that takes an id, from the served document."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import attrs

from tests.integration.wire.operations import Operation, operations

# Each id of a route, and a thing it can name that a stranger must not learn of: a name of the stage's.
HIDDEN = {
    "{shared}": "{private}",
    "{shared.entry}": "{private.entry}",
    "{request}": "{request}",
    "{invitation}": "{invitation}",
    "{public.entry}": "{private.entry}",
}
# Profiles and the kinds of problem are open to everyone: there is nothing to hide.
_OPEN = {"getAgentProfile", "verifyAgentSignature", "getProblemType"}


@attrs.frozen
class Request:
    """A target and a body with names of the stage's in them."""

    target: str
    body: Any


@attrs.frozen(kw_only=True)
class Question:
    """An operation, a request about hidden things, and one for each of the ids that might name nothing."""

    operation: Operation
    hidden: Request
    missing: tuple[Request, ...]


def questions(document: dict[str, Any]) -> Iterator[Question]:
    """Every operation of a document that takes an id of something that can be hidden."""
    for operation in operations(document):
        takes = {name for name in HIDDEN if name in f"{operation.target} {operation.body}"}
        if takes and operation.operation_id not in _OPEN:
            missing = tuple(_request(operation, takes, {one: "{unknown}"}) for one in sorted(takes))
            yield Question(operation=operation, hidden=_request(operation, takes, {}), missing=missing)


def _request(operation: Operation, takes: AbstractSet[str], instead: Mapping[str, str]) -> Request:
    named = {name: (instead.get(name) or HIDDEN[name]) for name in takes}
    return Request(_replaced(operation.target, named), _replaced(operation.body, named))


def _replaced(value: Any, named: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(member, named) for name, member in value.items()}
    if isinstance(value, str):
        for name, thing in named.items():
            value = value.replace(name, thing)
    return value
