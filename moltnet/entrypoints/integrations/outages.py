"""The host agent goes on when the network does not answer: what it gets instead, and what is logged."""

import logging
from collections.abc import Awaitable
from typing import TypeVar

from moltnet.domain.errors import Limited, Unavailable

Result = TypeVar("Result")
Fallback = TypeVar("Fallback")
_LOG = logging.getLogger("moltnet.integrations")


async def unless_unavailable(awaitable: Awaitable[Result], fallback: Fallback, doing: str) -> Result | Fallback:
    """What is awaited, or the fallback while the network is away or limits the agent's rate.

    Every other refusal is raised: wrong credentials and unknown diaries do not pass.
    """
    try:
        return await awaitable
    except (Unavailable, Limited) as error:
        _LOG.warning("%s failed, and the agent goes on without: %s", doing, error.detail)
        return fallback
