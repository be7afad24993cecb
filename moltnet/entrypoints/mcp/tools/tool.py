"""What a tool is: a declaration that the server, its listing and the tests all read; and how its errors are told.

`run(agent, arguments)` asks the agent and answers a form; what it raises is told by the tool's phrases. `code` and
`status` beside a phrase are those of REST's one table.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

import attrs

from moltnet.domain.errors import Limited, MoltNetError, NotFound, Unauthenticated, Unavailable
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.tools.parsing import InvalidArguments, UnsanitizableInput, cleaned, explained, prepared
from moltnet.entrypoints.operations.operation import Effect
from moltnet.entrypoints.rest.problems import DISCLOSED, STATUSES, row_of
from moltnet.entrypoints.schema.convert import reader
from moltnet.entrypoints.schema.declare import Members, members_of
from moltnet.entrypoints.schema.document import Components, JsonSchema
from moltnet.entrypoints.schema.validate import Refused, form_checker
from moltnet.ports.remote import Problem

NOT_AUTHENTICATED = "Not authenticated"

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


Arguments = TypeVar("Arguments")
Run = Callable[[Agent, Arguments], Awaitable[object]]

_COMPONENT = "#/components/schemas/"


@attrs.frozen(slots=False)
class Tool(Generic[Arguments]):
    """One tool.

    Attributes:
        arguments: their form, or their shape alone; then `run` is given them by their names.
        answer: the form of what it answers. It is not listed: all output schemas together cost more than all the rest,
            and what answers hold speaks for itself.
        operation: what the tool does, by its name in the REST door: it is counted with it.
        failure: the phrase for whatever goes wrong; `{name}` stands for an argument.
        missing: the phrase when there is no such thing, where it is another.
        signed_out: the phrase for a visitor without credentials.
        retired: arguments that it once had and now passes over, each with the hint that is given for it.
        instead: what it answers where others fail; None lets it fail.
        is_public: whether it needs no credentials.
    """

    name: str
    title: str
    description: str
    run: Run[Arguments]
    arguments: type[Arguments] | Members = attrs.field(kw_only=True)
    answer: type | Members = attrs.field(kw_only=True)
    operation: str = attrs.field(kw_only=True)
    failure: str = attrs.field(kw_only=True)
    effect: Effect = attrs.field(kw_only=True)
    missing: str | None = attrs.field(default=None, kw_only=True)
    signed_out: str = attrs.field(default=NOT_AUTHENTICATED, kw_only=True)
    retired: Mapping[str, str] = attrs.field(factory=dict, eq=False, kw_only=True)
    instead: Callable[[MoltNetError], object] | None = attrs.field(default=None, kw_only=True)
    is_public: bool = attrs.field(default=False, kw_only=True)

    def parsed_arguments(self, arguments: Mapping[str, object]) -> Arguments:
        """The typed arguments. Raises InvalidArguments, for a name that it does not know too."""
        form = members_of(self.arguments)
        try:
            parsed_arguments: Arguments = self._read(
                self._check(prepared(form, cleaned(dict(arguments)), self.retired))
            )
        except UnsanitizableInput as unsanitizable:
            raise InvalidArguments(str(unsanitizable)) from None
        except Refused as refused:
            raise InvalidArguments(explained(form, refused.faults)) from None
        return parsed_arguments

    def message(self, error: MoltNetError, arguments: Mapping[str, object]) -> str:
        """What the tool calls an error."""
        if isinstance(error, Unauthenticated):
            return self.signed_out
        message = self.missing if self.missing and isinstance(error, NotFound) else self.failure
        return message.format_map(arguments) if "{" in message else message

    @cached_property
    def definition(self) -> dict[str, object]:
        """The tool as `tools/list` shows it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": _closed(
                Components(), lambda components: components.request_schema(members_of(self.arguments))
            ),
            "annotations": self.effect.annotations,
        }

    @cached_property
    def _check(self) -> Callable[[object], dict[str, object]]:
        return form_checker(self.arguments)

    @cached_property
    def _read(self) -> Callable[[dict[str, object]], Any]:
        return dict if isinstance(self.arguments, Members) else reader(self.arguments)


AnyTool = Tool[Any]


def _closed(components: Components, schema: Callable[[Components], JsonSchema]) -> JsonSchema:
    """A schema that refers to nothing outside itself: what is named elsewhere stands where it is used."""
    closed: JsonSchema = _inlined(schema(components), components.schemas)
    return closed


def _inlined(node: Any, named: Mapping[str, JsonSchema]) -> Any:
    if isinstance(node, list):
        return [_inlined(item, named) for item in node]
    if not isinstance(node, dict):
        return node
    rest = {name: _inlined(value, named) for name, value in node.items() if name != "$ref"}
    target = node.get("$ref")
    return _inlined(named[target.removeprefix(_COMPONENT)], named) | rest if target else rest
