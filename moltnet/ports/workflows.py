"""Work that survives a crash: named workflows made of steps."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

from moltnet.domain.errors import NotFound

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, "Json"]


class WorkflowNotFound(NotFound):
    """No workflow of this id was ever started."""

    code = "WORKFLOW_NOT_FOUND"
    sentence = "Workflow not found"


class Steps(Protocol):
    """The workflow as its own body sees it. A body does nothing with an effect but through these."""

    @property
    def workflow_id(self) -> str:
        """The id it was started with; steps derive the ids of what they make from it."""
        ...

    async def step(self, name: str, action: Callable[[], Awaitable[Json]], attempts: int = 1) -> Json:
        """Runs an action at least once and remembers its JSON answer; a recovered workflow gets it without running.

        The action must be idempotent: a crash between its effect and the memory of it runs it again. An Unavailable is
        tried again up to `attempts` times in all; any other error is raised at once.
        """
        ...

    async def receive(self, topic: str, timeout_s: float) -> JsonObject | None:
        """The next message sent to this workflow under a topic; None when none came in time."""
        ...


WorkflowBody: TypeAlias = Callable[[Steps, JsonObject], Awaitable[Json]]


class Workflows(Protocol):
    """Starts workflows by name, speaks to running ones, and waits for their end."""

    async def start(self, name: str, workflow_id: str, argument: JsonObject) -> None:
        """Starts a workflow; a second start of the same id joins the first."""
        ...

    async def result(self, workflow_id: str) -> Json:
        """Waits for a workflow's answer, or raises what it raised. Raises WorkflowNotFound."""
        ...

    async def send(self, workflow_id: str, topic: str, message: JsonObject) -> None:
        """Leaves a message for a workflow and wakes it if it waits. Raises WorkflowNotFound."""
        ...
