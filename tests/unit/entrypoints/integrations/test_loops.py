"""One agent for methods that await and for those that do not."""

import asyncio

import pytest

from moltnet import blocking
from moltnet.entrypoints.integrations.loops import LoopBound


def test_a_blocking_agent_is_waited_for_anywhere_and_awaited_from_any_loop():
    with blocking.MoltNet.in_memory() as network:
        bound = LoopBound.of(network.genesis())
        (diary,) = bound.result(bound.agent.diaries.list())

        async def from_another_loop():
            return await bound.awaited(bound.agent.diaries.get(diary.id))

        assert asyncio.run(from_another_loop()) == diary


async def test_an_agent_is_waited_for_in_another_thread_and_never_in_its_own_loop(moltnet_agent):
    bound = LoopBound.of(moltnet_agent)
    assert await asyncio.to_thread(lambda: bound.result(bound.agent.diaries.list()))
    with pytest.raises(RuntimeError, match=r"moltnet\.blocking"):
        bound.result(bound.agent.diaries.list())


def test_whatever_is_no_agent_is_refused():
    with pytest.raises(TypeError, match="not str"):
        LoopBound.of("agent")  # type: ignore[arg-type]
