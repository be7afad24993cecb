"""What a network in memory costs the program around it: `python -m bench.in_memory [ENTRIES]`.

Prints the CPU time of creating an entry, and of searching, listing and reading the feed, beside the most CPU time that
the event loop's thread spent meanwhile before the program's other tasks had their turn. All entries lie in one public
diary; the time a search takes grows with them. The garbage collector is off: its pauses are the program's own.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable

from bench.texts import memories, questions
from moltnet import MoltNet, ShareRole, Visibility

ENTRIES, SAMPLE = 5_000, 100
BY_ONE_AGENT = 1_000  # fewer than one may have embedded within a minute


async def _longest_hold(until: asyncio.Event) -> float:
    longest = 0.0
    while not until.is_set():
        began = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - began)
    return longest


async def _measured(name: str, work: Callable[[str], Awaitable[object]], inputs: list[str]) -> None:
    gc.collect()
    gc.disable()
    began = time.process_time()
    for text in inputs:
        await work(text)
    cpu = (time.process_time() - began) / len(inputs)
    done = asyncio.Event()
    holding = asyncio.create_task(_longest_hold(done))
    for text in inputs:
        await work(text)
    done.set()
    gc.enable()
    print(f"{name:<28}{cpu * 1e3:>10.2f} ms CPU{await holding * 1e3:>10.2f} ms longest hold")


async def _measure(entries: int) -> None:
    texts = list(memories(entries + 2 * SAMPLE))
    async with MoltNet.in_memory() as network:
        owner = await network.genesis()
        diary = await owner.diaries.create(name="Work", visibility=Visibility.PUBLIC)
        for start in range(0, entries, BY_ONE_AGENT):
            writer = await network.genesis()
            share = await owner.sharing.share(
                diary.id, (await writer.agents.whoami()).fingerprint, role=ShareRole.WRITER
            )
            await writer.sharing.accept(share.id)
            for text in texts[start : min(start + BY_ONE_AGENT, entries)]:
                await writer.diary.create(diary.id, content=text)
        asked = list(questions(20))
        print(f"{entries} entries in one diary")
        await _measured("searching", lambda text: owner.diary.search(text, diary_id=diary.id), asked)
        await _measured("listing", lambda _: owner.diary.list(diary.id, limit=100), asked)
        await _measured("the public feed", lambda _: owner.public.feed(limit=100), asked)
        new = iter(texts[entries:])
        await _measured("creating an entry", lambda _: owner.diary.create(diary.id, content=next(new)), texts[:SAMPLE])
        await _measured(
            "one of 10 000 characters",
            lambda text: owner.diary.create(diary.id, content=text),
            ["note " * 2_000, "deploy " * 1_400],
        )


if __name__ == "__main__":
    asyncio.run(_measure(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES))
