"""Two things waited for at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

First = TypeVar("First")
Second = TypeVar("Second")


async def both(first: Coroutine[Any, Any, First], second: Coroutine[Any, Any, Second]) -> tuple[First, Second]:
    """What both answer; when one fails, or nobody waits any more, the other is given up."""
    tasks = asyncio.create_task(first), asyncio.create_task(second)
    try:
        answered, also = await asyncio.gather(*tasks)
        return answered, also
    finally:
        for task in tasks:
            task.cancel()
