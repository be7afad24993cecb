"""Server processes that kill themselves at a chosen moment. They are forked from one that has loaded everything.

`python -m tests.support.failing_server` reads a JSON object a line, forks a server for each, and writes a line when it
accepts: its label, its pid and its address. At the end of its input all servers end.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from itertools import repeat
from typing import Any, cast

import attrs

from moltnet.adapters.dbos.launch import launched
from moltnet.adapters.postgres.notifications import PostgresNotifications
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.errors import Unavailable
from moltnet.domain.services import Services
from moltnet.domain.services.models import Models
from moltnet.entrypoints.container.networks import Infrastructure
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.listening import listening_app
from moltnet.ports.workflows import Backoff, Json, JsonObject, Steps, WorkflowBody, Workflows
from tests.support.interruptions import Calls, InterruptedStorage, failing, interrupted
from tests.support.networks import services_on


@attrs.frozen(kw_only=True)
class Orders:
    """What a server is told: a label for its answer, its database, at which call it dies, which one fails until then.

    A call is named as `tests.support.interruptions` does (`before agents.add`, `after commit of agents.add`), or it is
    a step of a workflow (`step store-agent`, `receive signature`), or a workflow's start (`start registerAgent`).
    """

    label: str
    database: str
    dies: str | None = None
    fails: str | None = None

    def given_to(self, calls: Calls) -> None:
        """Has the calls interrupted so."""
        for told, act in ((self.fails, failing(Unavailable())), (self.dies, _die)):
            if told:
                moment, _, call = told.partition(" ")
                {"before": calls.before, "after": calls.after}[moment](call, repeat(act))


@asynccontextmanager
async def failing_network(orders: Orders, base_url: str) -> AsyncIterator[Services]:
    """A network on PostgreSQL and DBOS whose calls are interrupted as ordered."""
    calls = Calls()
    orders.given_to(calls)
    async with (
        PostgresStorage.open(orders.database, max_connections=10) as storage,
        PostgresNotifications.open(orders.database) as events,
    ):
        infrastructure = Infrastructure(
            storage=InterruptedStorage(storage, calls),
            events=events,
            models=Models(None),
            workflows=partial(_failing_workflows, orders.database, calls),
        )
        async with services_on(infrastructure, base_url) as services:
            yield services


@asynccontextmanager
async def _failing_workflows(
    database: str, calls: Calls, bodies: Mapping[str, WorkflowBody]
) -> AsyncIterator[Workflows]:
    bodies = {name: partial(_failing_body, body, calls) for name, body in bodies.items()}
    async with launched(database, bodies, Backoff(first_s=0.1)) as workflows:
        yield cast("Workflows", _FailingWorkflows(workflows, calls))


async def _failing_body(body: WorkflowBody, calls: Calls, steps: Steps, argument: JsonObject) -> Json:
    return await body(_FailingSteps(steps, calls), argument)


class _FailingWorkflows:
    def __init__(self, workflows: Workflows, calls: Calls) -> None:
        self._workflows, self._calls = workflows, calls
        self._interrupted = interrupted("Workflows", workflows, calls)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._interrupted, name)

    async def start(self, name: str, workflow_id: str, argument: JsonObject) -> bool:
        begun: bool = await self._calls.around(
            f"start {name}", lambda: self._workflows.start(name, workflow_id, argument)
        )
        return begun


class _FailingSteps:
    def __init__(self, steps: Steps, calls: Calls) -> None:
        self._steps, self._calls = steps, calls

    @property
    def workflow_id(self) -> str:
        return self._steps.workflow_id

    async def step(self, name: str, action: Callable[[], Awaitable[Json]], attempts: int = 1) -> Json:
        return await self._steps.step(name, partial(self._calls.around, f"step {name}", action), attempts)

    async def receive(self, topic: str, timeout_s: float) -> JsonObject | None:
        message: JsonObject | None = await self._calls.around(
            f"receive {topic}", lambda: self._steps.receive(topic, timeout_s)
        )
        return message


async def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _serve(orders: Orders) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    listening = socket.create_server(("127.0.0.1", 0))
    host, port = listening.getsockname()[:2]
    async with (
        failing_network(orders, f"http://{host}:{port}") as services,
        listening_app(create_app(services), listening, drain_s=1),
    ):
        os.write(1, f"{orders.label} {os.getpid()} http://{host}:{port}\n".encode())
        await stop.wait()


def _fork_for_each_line() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in sys.stdin:
        if os.fork() == 0:
            os.close(0)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asyncio.run(_serve(Orders(**json.loads(line))))
            os._exit(0)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _fork_for_each_line()
