"""One store in a process of its own: `python -m bench.peers.worker NAME FOLDER MODEL`, a JSON line for each command.

It answers on its first standard output; what libraries print goes to standard error.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

import attrs

from bench.peers.store import Store, answer, called

PROBE = "The probe says who may ask for what, and how it is written down."


async def main(name: str, folder: Path, model: Path, output: TextIO) -> None:
    """Opens the store, and does what it is told until it is told no more."""

    def say(**members: Any) -> None:
        print(json.dumps(members), file=output, flush=True)

    async with opened(name, folder, model) as (store, version):
        say(version=version)
        while line := await asyncio.to_thread(sys.stdin.readline):
            say(**await _done(store, json.loads(line), lambda text: say(acknowledged=text)))


@asynccontextmanager
async def opened(name: str, folder: Path, model: Path) -> AsyncIterator[tuple[Store, str]]:
    """A store by its name in the table, and the version of what it is made with."""
    package, context = _context(name, folder, model)
    async with context as store:
        yield store, metadata.version(package)


def _context(name: str, folder: Path, model: Path) -> tuple[str, AbstractAsyncContextManager[Store]]:
    # Each environment has what one of the two takes.
    if name.startswith("MoltNet"):
        from bench.peers.ours import OURS  # noqa: PLC0415

        return "moltnet", OURS[name](folder)
    from bench.peers.others import OTHERS  # noqa: PLC0415

    package, create = OTHERS[name]
    return package, create(folder, model)


async def _done(store: Store, command: dict[str, Any], acknowledge: Any) -> dict[str, Any]:
    match command["do"]:
        case "write":
            on_success = acknowledge if command["acknowledged"] else lambda _: None
            return attrs.asdict(await called(store.write, command["texts"], command["clients"], on_success))
        case "search":
            return attrs.asdict(await called(store.search, command["texts"], command["clients"]))
        case "find":
            found = [text in await answer(store.search(text)) for text in command["texts"]]
            return {"found": sum(found)}
        case "contents":
            return {"texts": await answer(store.contents())}
        case "probe":
            return await _probed(store)
        case other:
            raise ValueError(other)


async def _probed(store: Store) -> dict[str, Any]:
    await answer(store.write(PROBE))
    stranger = store.stranger()
    try:
        reads = PROBE in await answer(stranger.search(PROBE))
    except Exception:  # noqa: BLE001  # it is not shown, whatever is said
        reads = False
    await called(stranger.write, [PROBE + " By a stranger."], 1)
    writes = any("stranger" in each for each in await answer(store.contents()))
    return {"reads": reads, "writes": writes, "signature": await store.signature(PROBE)}


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), answers))
