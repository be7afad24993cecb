"""What a tool is: a declaration that the server, its listing and the tests all read; and how its errors are told.

`run(agent, arguments)` asks the agent and answers a form; what it raises is told by the tool's phrases. `code` and
`status` beside a phrase are those of REST's one table.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any

import attrs

from moltnet.domain.errors import Limited, MoltNetError, NotFound, Unauthenticated, Unavailable
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.tools.parsing import InvalidArguments, UnsanitizableInput, cleaned, explained, prepared
from moltnet.entrypoints.operations.appearance import Tool as Face
from moltnet.entrypoints.rest.problems import DISCLOSED, STATUSES, row_of
from moltnet.entrypoints.schema.declare import Members
from moltnet.entrypoints.schema.document import Components, JsonSchema
from moltnet.entrypoints.schema.validate import Refused, form_checker
from moltnet.ports.remote import Problem

_SERVER_FAULT = 500
_LOG = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Failure:
    """A tool's result when it did not do what it was asked.

    `detail` is a sentence for a person, without anything the caller may not know. `retry_after` is in seconds.
    """

    error: str
    code: str
    status: int
    detail: str
    retry_after: int | None = None

    @property
    def members(self) -> dict[str, object]:
        """The result's members."""
        return attrs.asdict(self, filter=lambda _, value: value is not None)


def failure(error: MoltNetError, message: str) -> Failure:
    """An error under a phrase; a service that is down is logged here, once, and not described."""
    if isinstance(error, Unavailable):
        _LOG.warning("%s", error.detail, exc_info=error)
    code, status = _code_and_status(error)
    return Failure(
        error=message,
        code=code,
        status=status,
        detail=_detail(error, status),
        retry_after=error.retry_after_s if isinstance(error, Limited | Problem) else None,
    )


def _detail(error: MoltNetError, status: int) -> str:
    if isinstance(error, DISCLOSED):
        return error.sentence
    return Unavailable.sentence if status >= _SERVER_FAULT else error.detail


def _code_and_status(error: MoltNetError) -> tuple[str, int]:
    row = row_of(type(error))
    if isinstance(error, Problem):
        return error.problem_code or row.code, error.status_code
    return row.code, STATUSES.get(type(error), row.status)


Run = Callable[[Agent, Mapping[str, object]], Awaitable[object]]

_COMPONENT = "#/components/schemas/"


@attrs.frozen(slots=False, kw_only=True, eq=False)
class Tool:
    """One tool.

    What it answers is not listed: all output schemas together cost more than all the rest, and what answers hold speaks
    for itself.

    Attributes:
        face: its names, texts and phrases, as its operation declares them.
        run: asks the agent, and answers an object or its members; arguments are given by their names.
        arguments: their shape.
        operation: what the tool does, by its name in REST: it is counted with it.
        instead: what it answers where others fail; None lets it fail.
        is_public: whether it needs no credentials.
    """

    face: Face
    run: Run
    arguments: Members = attrs.field(factory=lambda: Members(dict, ()))
    operation: str
    instead: Callable[[MoltNetError], object] | None = None
    is_public: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return self.face.name

    def parsed_arguments(self, arguments: Mapping[str, object]) -> Mapping[str, object]:
        """The arguments, checked. Raises InvalidArguments, for a name that it does not know too."""
        try:
            return self._check(prepared(self.arguments, cleaned(dict(arguments)), self.face.retired))
        except UnsanitizableInput as unsanitizable:
            raise InvalidArguments(str(unsanitizable)) from None
        except Refused as refused:
            raise InvalidArguments(explained(self.arguments, refused.faults)) from None

    def message(self, error: MoltNetError, arguments: Mapping[str, object]) -> str:
        """What the tool calls an error."""
        if isinstance(error, Unauthenticated):
            return self.face.signed_out
        message = self.face.missing if self.face.missing and isinstance(error, NotFound) else self.face.failure
        return message.format_map(arguments) if "{" in message else message

    @cached_property
    def definition(self) -> dict[str, object]:
        """The tool as `tools/list` shows it; its schema refers to nothing outside itself."""
        components = Components()
        schema = components.request_schema(self.arguments)
        return {
            "name": self.face.name,
            "title": self.face.title,
            "description": self.face.text,
            "inputSchema": _inlined(schema, components.schemas),
            "annotations": self.face.effect.annotations,
        }

    @cached_property
    def _check(self) -> Callable[[object], dict[str, object]]:
        return form_checker(self.arguments)


def _inlined(node: Any, named: Mapping[str, JsonSchema]) -> Any:
    if isinstance(node, list):
        return [_inlined(item, named) for item in node]
    if not isinstance(node, dict):
        return node
    rest = {name: _inlined(value, named) for name, value in node.items() if name != "$ref"}
    target = node.get("$ref")
    return _inlined(named[target.removeprefix(_COMPONENT)], named) | rest if target else rest
