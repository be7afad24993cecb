"""A fact in a long entry, at its start, in its middle, at its end: how often the entry is among the first three found.

`python -m bench.needles`. A hundred memories of the bundled set, each within 10 000 characters of other prose, are
written through REST to three diaries that differ in nothing but where the memory stands; its question is asked in each.
"""

import asyncio
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import attrs
from tqdm import tqdm

from bench.server import genesis, running
from bench.texts import memories
from moltnet.entrypoints.cli.commands.bench import BUNDLED
from moltnet.entrypoints.cli.scoring.rankings import read_memory_set

ENTRIES, LENGTH, FIRST, WRITERS, APART = 100, 10_000, 3, 8, 3
PLACES = {"start": 0.0, "middle": 0.5, "end": 1.0}


@attrs.frozen
class Needle:
    """What is to be found, by which question, and what it is hidden in."""

    fact: str
    question: str
    prose: tuple[str, ...]

    def hidden(self, share: float) -> str:
        """The entry's text; `share` of its prose stands before the fact."""
        before = round(len(self.prose) * share)
        return " ".join([*self.prose[:before], self.fact, *self.prose[before:]])


async def main(folder: Path) -> None:
    """Prints how many of the entries were found for each place."""
    agent, needles = genesis(folder), list(_needles())
    headers = {"Authorization": f"Bearer {agent['accessToken']}"}
    with running(folder) as server:
        async with aiohttp.ClientSession(server.url, headers=headers) as session:
            found = {name: await _found(session, name, share, needles) for name, share in PLACES.items()}
    print(f"{len(needles)} entries of {LENGTH} characters, found among the first {FIRST} by a question about one fact")
    for name, count in found.items():
        print(f"  {name:<8}{count:>5} of {len(needles)}")
    apart = (max(found.values()) - min(found.values())) * 100 / len(needles)
    print(f"  {apart:.0f} points apart, {'within' if apart <= APART * 2 else 'MORE THAN'} ± {APART}")


async def _found(session: aiohttp.ClientSession, name: str, share: float, needles: list[Needle]) -> int:
    async with session.post("/diaries", json={"name": name}) as made:
        place = (await made.json())["id"]
    ids: dict[int, str] = {}
    waiting = iter(enumerate(needles))
    with tqdm(total=2 * len(needles), desc=name, leave=False, disable=None) as bar:

        async def write() -> None:
            for number, needle in waiting:
                body = {"content": needle.hidden(share)}
                async with session.post(f"/diaries/{place}/entries", json=body) as answer:
                    answer.raise_for_status()
                    ids[number] = (await answer.json())["id"]
                bar.update()

        await asyncio.gather(*(write() for _ in range(WRITERS)))
        count = 0
        for number, needle in enumerate(needles):
            asked = {"diaryId": place, "query": needle.question, "limit": FIRST}
            async with session.post("/diaries/search", json=asked) as answer:
                answer.raise_for_status()
                count += ids[number] in {each["id"] for each in (await answer.json())["results"]}
            bar.update()
    return count


def _needles() -> Iterator[Needle]:
    prose = memories(ENTRIES * LENGTH // 100)
    memory_set = read_memory_set(BUNDLED)
    facts = {each.id: each.new.content for each in memory_set.entries}
    # What is to be left out has no place of its own.
    about = [each for each in memory_set.questions if each.relevant and each.kind != "negation"]
    for question in random.Random(7).sample(about, ENTRIES):
        fact = facts[next(iter(question.relevant))]
        yield Needle(fact, question.query, tuple(_of_length(prose, LENGTH - len(fact))))


def _of_length(prose: Iterator[str], length: int) -> Iterator[str]:
    while (length := length - len(text := next(prose)) - 1) > 0:
        yield text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-needles-") as name:
        asyncio.run(main(Path(name)))
