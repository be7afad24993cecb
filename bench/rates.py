"""How fast something goes, alone or with several clients at once."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

import attrs
from tqdm import tqdm

WARM = 5


@attrs.frozen
class Rate:
    """How many a second, and how long one took in the middle."""

    name: str
    per_s: float
    p50_ms: float


async def timed(name: str, act: Callable[[str], Awaitable[None]], texts: Sequence[str], clients: int = 1) -> Rate:
    """Does something with each text, so many at a time."""
    for text in texts[:WARM]:
        await act(text)  # plans, caches, connections
    waiting, seconds = iter(texts), list[float]()

    async def client() -> None:
        for text in waiting:
            started = time.perf_counter()
            await act(text)
            seconds.append(time.perf_counter() - started)
            progress.update()

    with tqdm(total=len(texts), desc=name, leave=False, disable=None) as progress:
        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        total_s = time.perf_counter() - started
    return Rate(name, len(seconds) / total_s, statistics.median(seconds) * 1000)
