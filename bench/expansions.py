"""What the second model costs: time and CPU of a write and of a search through REST, with it and without.

`python -m bench.expansions`. Two servers, each with a data folder of its own, take turns, a round of writes and one of
searches each, so that whatever else the machine does meets both alike. The CPU is that of the server process.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import aiohttp
import attrs
from tqdm import tqdm

from bench.server import Server, cores, diary, genesis, running, used_s
from bench.texts import memories, questions

ROUNDS, TEXTS, WARM = 12, 40, 20
AIMS = {"write": 1.35, "search": 1.25}


@attrs.define
class Cost:
    """What requests of one kind have taken so far."""

    seconds: list[float] = attrs.field(factory=list)
    cpu_s: float = 0.0

    def cpu_ms(self) -> float:
        """For one request."""
        return self.cpu_s * 1000 / len(self.seconds)


@attrs.frozen
class Network:
    """A server with a network of its own, and what its requests cost."""

    server: Server
    token: str
    costs: dict[str, Cost] = attrs.field(factory=lambda: {name: Cost() for name in AIMS})

    async def round(self, notes: Sequence[str], asked: Sequence[str]) -> None:
        """Writes notes, then asks questions, one after the other."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession(self.server.url, headers=headers, raise_for_status=True) as session:
            diary_id = await diary(session)

            async def write(text: str) -> None:
                async with session.post(f"/diaries/{diary_id}/entries", json={"content": text}) as answer:
                    await answer.read()

            async def search(text: str) -> None:
                async with session.post("/diaries/search", json={"diaryId": diary_id, "query": text}) as answer:
                    await answer.read()

            await self._measured("write", write, notes)
            await self._measured("search", search, asked)

    async def _measured(self, name: str, act: Callable[[str], Awaitable[None]], texts: Sequence[str]) -> None:
        cost, before = self.costs[name], used_s(self.server.pid)
        for text in texts:
            started = time.perf_counter()
            await act(text)
            cost.seconds.append(time.perf_counter() - started)
        cost.cpu_s += used_s(self.server.pid) - before


async def main(folder: Path) -> None:
    """Prints both, their ratios and the aims."""
    notes, asked = memories(2 * (ROUNDS * TEXTS + WARM)), questions(2 * (ROUNDS * TEXTS + WARM))
    with ExitStack() as stack:
        networks = [_network(stack, folder / setting, setting) for setting in ("false", "true")]
        for network in networks:
            await network.round(list(islice(notes, WARM)), list(islice(asked, WARM)))
            network.costs.update({name: Cost() for name in AIMS})
        for _ in tqdm(range(ROUNDS), desc="rounds", leave=False, disable=None):
            for network in networks:
                await network.round(list(islice(notes, TEXTS)), list(islice(asked, TEXTS)))
    without, having = networks
    print(f"{cores()} cores, shared by servers, databases and client; {ROUNDS * TEXTS} of each, in turns")
    print(
        f"{'':<8}{'CPU ms without':>16}{'with':>9}{'ratio':>8}{'aim':>7}{'p50 ms without':>17}{'with':>9}{'ratio':>8}"
    )
    for name, aim in AIMS.items():
        costs = without.costs[name], having.costs[name]
        cpu = [cost.cpu_ms() for cost in costs]
        p50 = [statistics.median(cost.seconds) * 1000 for cost in costs]
        print(
            f"{name:<8}{cpu[0]:>16.2f}{cpu[1]:>9.2f}{cpu[1] / cpu[0]:>8.2f}{aim:>7.2f}"
            f"{p50[0]:>17.2f}{p50[1]:>9.2f}{p50[1] / p50[0]:>8.2f}"
        )


def _network(stack: ExitStack, folder: Path, expansion: str) -> Network:
    settings = {**os.environ, "MOLTNET_EXPANSION": expansion}
    token = genesis(folder, settings)["accessToken"]
    return Network(stack.enter_context(running(folder, settings=settings)), token)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-expansions-") as made:
        asyncio.run(main(Path(made)))
