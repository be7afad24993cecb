"""Work that survives a crash: named workflows made of steps."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeAlias

import attrs

from moltnet.domain.errors import NotFound, Unavailable

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, "Json"]


class WorkflowNotFound(NotFound):
    """No workflow of this id was ever started."""

    code = "WORKFLOW_NOT_FOUND"
    sentence = "Workflow not found"


class WorkflowUnfinished(Unavailable):
    """The workflow continues, but its answer did not come in the time somebody had for it."""

    code = "WORKFLOW_UNFINISHED"
    sentence = "The work goes on; its outcome is not known yet"


@attrs.frozen(kw_only=True)
class Backoff:
    """How long to wait before a step is tried again: longer each time, up to a limit."""

    first_s: float
    growth: float = 2.0
    longest_s: float = 30.0


UNLIMITED_ATTEMPTS = sys.maxsize
"""Attempts for a step that is not given up."""


class Steps(Protocol):
    """The workflow as its own body sees it. A body does nothing with an effect but through these."""

    @property
    def workflow_id(self) -> str:
        """The id it was started with; steps derive the ids of what they make from it."""

    async def step(self, name: str, action: Callable[[], Awaitable[Json]], attempts: int = 1) -> Json:
        """Runs an action at least once and remembers its JSON answer, or the error it raised in the end.

        A recovered workflow gets either without running the action. The action must be idempotent: a crash between its
        effect and the memory of it runs it again. An Unavailable is tried again up to `attempts` times in all, with
        growing pauses; any other error is raised at once.
        """

    async def receive(self, topic: str, timeout_s: float) -> JsonObject | None:
        """The next message sent to this workflow under a topic; None when none came in time."""


WorkflowBody: TypeAlias = Callable[[Steps, JsonObject], Awaitable[Json]]


class Workflows(Protocol):
    """Starts workflows by name, speaks to running ones, and waits for their end."""

    async def start(self, name: str, workflow_id: str, argument: JsonObject) -> bool:
        """Starts a workflow; a second start of the same id joins the first, running or ended.

        True for the one call that began it.
        """

    async def result(self, workflow_id: str, within_s: float | None = None) -> Json:
        """Waits for a workflow's answer, or raises what it raised: the error's class and sentence, not its facts.

        Raises WorkflowNotFound, and WorkflowUnfinished when there is no answer `within_s` seconds.
        """

    async def send(self, workflow_id: str, topic: str, message: JsonObject) -> None:
        """Leaves a message for a workflow and wakes it if it waits. Raises WorkflowNotFound."""

    async def check(self) -> None:
        """Returns while workflows can be started; raises Unavailable, in a sentence for anybody, while they cannot."""

    async def forget_ended(self, before: datetime, limit: int) -> int:
        """Forgets workflows that ended before a time, at most `limit`; answers how many. Their ids are free again."""

    async def counts(self) -> Mapping[str, int]:
        """How many there are, by state: those that are not over are `pending`. Raises Unavailable."""
