"""One line of docs/reference as a row of a table: what is asked, step by step, and what must be answered."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import attrs

from tests.integration.rest.members import Reply
from tests.integration.wire.stage import Stage

CODES = {
    400: "VALIDATION_FAILED",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    500: "INTERNAL_SERVER_ERROR",
    502: "UPSTREAM_ERROR",
}
Act: TypeAlias = Callable[[Stage], Awaitable[None]]


@attrs.frozen(kw_only=True)
class Step:
    """A request and its answer.

    `detail` is a problem's, exactly, or a part of it after `…`; `holds` are members of the answer, by dotted names;
    `keep` names the answer's id, or another member after a colon, for the steps that follow.
    """

    line: str
    status: int
    detail: str | None = None
    code: str | None = None
    body: Any = None
    holds: Mapping[str, Any] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    keep: str | None = None
    more: Mapping[str, Any] = attrs.field(factory=dict)

    async def __call__(self, stage: Stage) -> None:
        """Asks, and compares."""
        reply = await stage.ask(self.line, self.body, headers=dict(self.headers), **self.more)
        assert reply.status == self.status, (self.line, reply.json)
        if self.detail is not None:
            self._check_problem(reply, stage.filled(self.detail))
        for name, value in self.holds.items():
            assert member(reply.json, name) == stage.filled(value), (self.line, name, reply.json)
        if self.keep:
            name, _, place = self.keep.partition(":")
            stage.names[name] = str(member(reply.json, place or "id"))

    def _check_problem(self, reply: Reply, detail: str) -> None:
        assert reply.headers["Content-Type"] == "application/problem+json; charset=utf-8", self.line
        assert (reply.json["status"], reply.json["code"]) == (self.status, self.code or CODES[self.status]), self.line
        if detail.startswith("…"):
            assert detail[1:].lower() in reply.json["detail"].lower(), (self.line, reply.json)
        else:
            assert reply.json["detail"] == detail, self.line


@attrs.frozen(kw_only=True)
class Row:
    """A line of the reference, and what shows it; a departure says where this network and the original differ."""

    line: str
    acts: tuple[Act, ...]
    departure: str | None = None

    def __str__(self) -> str:
        """The line, and the departure from it."""
        return f"{self.line} [{self.departure}]" if self.departure else self.line


def row(line: str, *acts: Act, departure: str | None = None) -> Row:
    """A row of the table."""
    return Row(line=line, acts=acts, departure=departure)


def says(line: str, status: int, detail: str | None = None, **more: Any) -> Step:
    """A step."""
    return Step(line=line, status=status, detail=detail, **more)


def member(value: Any, name: str) -> Any:
    """A member of an answer by its dotted name; `#` is how many there are, a number the item at that place."""
    for part in name.split("."):
        if part == "#":
            return len(value)
        value = value[int(part)] if part.lstrip("-").isdigit() else value[part]
    return value
