"""How fast diaries are exported, imported and checked, in which memory, and what encryption costs.

`python -m bench.archives [ENTRIES]`. A server with its embedded database, and an agent in this process over REST.
Memory is the most that Python held at once in this process beyond what was there, for a diary and for one four times as
long.
"""

import asyncio
import hashlib
import io
import json
import sys
import tempfile
import time
import tracemalloc
from base64 import b64decode
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

from bench.server import genesis, running
from bench.texts import memories
from moltnet.adapters import age
from moltnet.adapters.files.other_programs import private_pem, public_line
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.constraints import LIST_MAX
from moltnet.domain.credentials import ClientSecret
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.archive_checks import verify_archive
from moltnet.entrypoints.library.remote import remote_agent

LONGER, SINGLE, ENCRYPTED_BYTES = 4, 100, 64 << 20


async def main(folder: Path, number: int) -> None:
    """Prints rates, peaks of memory, and how encryption compares."""
    with running(folder / "data") as server:
        founder = genesis(folder / "data")
        credentials = ClientSecret.of(founder["clientId"], founder["clientSecret"])
        keys = NaclKeyPair(b64decode(founder["privateKey"]))
        async with remote_agent(server.url, credentials, keys=keys) as agent:
            for size in (number, LONGER * number):
                await _moved(agent, folder, size)
    _encrypted()


async def _moved(agent: Agent, folder: Path, size: int) -> None:
    print(f"{size} notes, of about 60 tokens")
    notes = folder / f"notes-{size}.jsonl"
    lines = [json.dumps({"content": f"{text} ({size})", "id": str(at)}) for at, text in enumerate(memories(size))]
    await asyncio.to_thread(notes.write_text, "\n".join(lines))
    diary, other = [await agent.diaries.create(name=f"{name} {size}") for name in ("Notes", "Single")]

    async def created() -> None:
        for text in memories(SINGLE):
            await agent.diary.create(other.id, content=text)

    single = await _rate("created one by one", SINGLE, created())
    imported = await _rate("imported", size, agent.import_(notes, into=diary.id))
    print(f"  an import is {imported / single:.2f} times as fast")
    await _shown("imported again, nothing new", size, lambda: agent.import_(notes, into=diary.id))
    archives = [folder / f"{turn}-{size}.zip" for turn in range(2)]
    unwritten = iter(archives)

    async def listed() -> None:
        for offset in range(0, size, LIST_MAX):
            await agent.diary.list(diary.id, limit=LIST_MAX, offset=offset)

    await _rate("read alone, in pages", size, listed())
    await _shown("exported", size, lambda: agent.export(next(unwritten), diaries=[diary.id]))
    await _shown("checked", size, lambda: asyncio.to_thread(verify_archive, archives[0]))


async def _rate(what: str, count: int, act: Awaitable[object]) -> float:
    begun = time.perf_counter()
    await act
    rate = count / (time.perf_counter() - begun)
    print(f"  {what:<30}{rate:>10,.0f} a second", flush=True)
    return rate


async def _shown(what: str, size: int, act: Callable[[], Awaitable[object]]) -> None:
    """Does it, and then again with its memory watched, which takes longer."""
    await _rate(what, size, act())
    tracemalloc.start()
    await act()
    print(f"  {'':<30}{tracemalloc.get_traced_memory()[1] / 2**20:>10.1f} MiB", flush=True)
    tracemalloc.stop()


def _encrypted() -> None:
    keys = NaclKeyPair.generate()
    recipient, identity = public_line(keys.public_key.text), private_pem(keys.seed_text, keys.public_key.text)
    plain, secret, again = io.BytesIO(bytes(ENCRYPTED_BYTES)), io.BytesIO(), io.BytesIO()
    moments = [time.perf_counter()]
    hashlib.sha256(plain.getvalue())
    moments.append(time.perf_counter())
    age.encrypt(plain, secret, [recipient])
    moments.append(time.perf_counter())
    secret.seek(0)
    age.decrypt(secret, again, [identity])
    moments.append(time.perf_counter())
    hashed, encrypted, decrypted = (after - before for before, after in pairwise(moments))
    print(
        f"{ENCRYPTED_BYTES >> 20} MiB: SHA-256 {hashed:.2f} s; times of that: encrypted {encrypted / hashed:.2f}, ",
        end="",
    )
    print(f"decrypted {decrypted / hashed:.2f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-bench-") as name:
        asyncio.run(main(Path(name), int(sys.argv[1]) if sys.argv[1:] else 500))
