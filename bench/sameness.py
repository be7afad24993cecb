"""Does the time tell what the answer does not? What is hidden from a stranger beside what is not there, on every route.

`python -m bench.sameness`. The requests are those of the test of the same promise; each is made 500 times, in turn with
the others of its route, on one connection.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from tqdm import tqdm

from bench.server import Server, diary, founders, running
from tests.integration.wire.operations import Operation
from tests.integration.wire.sameness import Question, Request, questions

TIMES, LIMIT_MS = 500, 1.0


async def main(folder: Path) -> None:
    """Prints a line for each route, and what the greatest difference is."""
    owner, invited, stranger = founders(folder, 3)
    with running(folder) as server:
        names = await _furnished(server, owner, invited)
        print(f"{'operation':<26}{'hidden ms':>10}  missing ms (n = {TIMES}, medians)")
        async with _session(server, stranger) as session:
            async with session.get("/openapi.json") as answer:
                asked = list(questions(await answer.json()))
            differences = [await _compared(session, question, names) for question in asked]
    worst = max(differences)
    print(f"greatest difference {worst:.3f} ms: {'within' if worst <= LIMIT_MS else 'NOT within'} {LIMIT_MS} ms")


async def _compared(session: aiohttp.ClientSession, question: Question, names: Mapping[str, str]) -> float:
    operation, requests = question.operation, (question.hidden, *question.missing)
    seconds: list[list[float]] = [[] for _ in requests]
    for _ in tqdm(range(TIMES), desc=operation.operation_id, leave=False, disable=None):
        for taken, request in zip(seconds, requests, strict=True):
            taken.append(await _timed(session, operation, request, names))
    hidden, *missing = (statistics.median(taken) * 1000 for taken in seconds)
    print(f"{operation.operation_id:<26}{hidden:>10.3f}  {'  '.join(f'{each:.3f}' for each in missing)}")
    return max(abs(hidden - each) for each in missing)


async def _timed(
    session: aiohttp.ClientSession, operation: Operation, request: Request, names: Mapping[str, str]
) -> float:
    filled = {**names, "unknown": str(uuid4())}
    target, body = _filled(request.target, filled), _filled(request.body, filled)
    started = time.perf_counter()
    async with session.request(operation.method, target, json=body) as answer:
        await answer.read()
    taken = time.perf_counter() - started
    if answer.status != HTTPStatus.NOT_FOUND:
        raise RuntimeError(f"{operation.operation_id} {target}: {answer.status}")
    return taken


async def _furnished(server: Server, owner: Mapping[str, str], invited: Mapping[str, str]) -> dict[str, str]:
    """What the requests name: things of the owner's that a stranger may not know of."""
    guest = {"fingerprint": invited["fingerprint"]}
    async with _session(server, owner) as session:
        private = await diary(session)
        entry = await _made(session, f"/diaries/{private}/entries", {"content": "Nobody else's business"})
        lent = await _made(session, "/diaries", {"name": "lent"})
        share = await _made(session, f"/diaries/{lent}/share", guest)
        request = await _made(session, "/crypto/signing-requests", {"message": "m"})
    fingerprints = {f"{who}.fingerprint": invited["fingerprint"] for who in ("reader", "guest")}
    things = {"private": private, "private.entry": entry, "invitation": share, "request": request, "signature": "x"}
    return things | fingerprints


async def _made(session: aiohttp.ClientSession, path: str, body: Mapping[str, str]) -> str:
    async with session.post(path, json=body) as answer:
        answer.raise_for_status()
        return str((await answer.json())["id"])


def _session(server: Server, agent: Mapping[str, str]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {agent['accessToken']}"})


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(member, names) for name, member in value.items()}
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
    return value


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-sameness-") as made:
        asyncio.run(main(Path(made)))
