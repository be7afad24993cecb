"""One agent for the synchronous and the asynchronous methods that frameworks ask for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeAlias, TypeVar

import attrs

from moltnet.entrypoints.library import blocking
from moltnet.entrypoints.library.agent import Agent

Result = TypeVar("Result")
AnyAgent: TypeAlias = "Agent | blocking.Agent"


@attrs.frozen
class LoopBound:
    """An agent, and the event loop that it belongs to: that of `moltnet.blocking`, or the one running here.

    Made outside an event loop, with an asynchronous agent, it belongs to whatever loop awaits it.
    """

    agent: Agent
    _loop: asyncio.AbstractEventLoop | None

    @classmethod
    def of(cls, agent: AnyAgent) -> "LoopBound":
        """The agent of either library."""
        if isinstance(agent, Agent):
            return cls(agent, _running())
        return cls(*blocking.unwrapped(agent))

    async def awaited(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """What the coroutine returns or raises, run on the agent's own loop."""
        if self._loop in {None, _running()}:
            return await coroutine
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    def result(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """The same for a caller that does not await, in any thread but the loop's own.

        Raises RuntimeError where waiting would never end.
        """
        if self._loop in {None, _running()}:
            coroutine.close()
            raise RuntimeError(
                "A synchronous call needs an agent of moltnet.blocking: use one, or the asynchronous method"
            )
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
