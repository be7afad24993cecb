"""A server is killed at every step of every flow; the next one leaves nothing half done (`fail_points.py`)."""

import asyncio
import time

import aiohttp
import pytest

from tests.integration.durability.fail_points import FAIL_POINTS, FailPoint
from tests.integration.durability.flows import FLOWS, Flow, Play, end_of, let_time_pass, wrong_in
from tests.support.live_server import until
from tests.support.servers import Servers, servers
from tests.support.stage import CrashStage, a_stage

pytestmark = pytest.mark.real

SETTLED_WITHIN_S = 60.0  # it takes seconds; more than that, and it never does
AT_ONCE = 4
# The short form has each flow, and each kind of end.
SOME = [*{(point.flow, point.ends): point for point in FAIL_POINTS}.values()]


@pytest.mark.parametrize("points", [SOME, pytest.param(FAIL_POINTS, marks=pytest.mark.soak)], ids=["some", "all"])
async def test_whatever_kills_a_server_at_whatever_step_nothing_is_left_half_done(points: list[FailPoint]) -> None:
    turns = asyncio.Semaphore(AT_ONCE)
    async with a_stage("stage_of_fail_points") as stage, servers() as started:

        async def judged(number: int, point: FailPoint) -> str | None:
            async with turns, stage.copy(f"fail_point_{number}") as database:
                found = await _played(started, stage, database, point)
                return f"{point}: {found}" if found else None

        found = await asyncio.gather(*(judged(number, point) for number, point in enumerate(points)))
    assert [each for each in found if each] == []


async def _played(started: Servers, stage: CrashStage, database: str, point: FailPoint) -> str | None:
    flow = FLOWS[point.flow]
    known: dict[str, str] = {}
    async with started.serving(database, dies=point.dies, fails=flow.fails) as server:
        try:
            answer = await flow.run(Play(stage, server.url, known))
        except aiohttp.ClientError:
            pass
        else:
            try:  # its caller may have the answer before a workflow comes so far
                await until(lambda: not server.lives(), SETTLED_WITHIN_S)
            except AssertionError:
                return f"the point was not reached: {answer}"
    if point.ends == "expired":
        await let_time_pass(database)
    async with started.serving(database) as server:
        wrong = await _not_settled(flow, stage, database, point.ends)
        if wrong:
            return wrong
        await flow.goes_on(Play(stage, server.url, known))
        left = await wrong_in(database)
        return f"after its caller went on: {left}" if left else None


async def _not_settled(flow: Flow, stage: CrashStage, database: str, ends: str) -> str | None:
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        wrong, ended = await wrong_in(database), await end_of(flow, stage, database)
        if not wrong and ended == ends:
            return None
        if time.monotonic() > deadline:
            return f"it ended {ended}, not {ends}; there is {wrong or 'nothing wrong'}"
        await asyncio.sleep(0.2)
