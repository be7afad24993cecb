"""Does a server that works for long stay as large as it was? Memory, descriptors and tables under a mixed load.

`python -m bench.flat [MINUTES]`, 30 unless given. Agents write, search, edit, delete, sign, share, refresh tokens and
repeat requests, at a steady pace, in diaries that stay as large as they are. What is over is forgotten after two
minutes instead of hours and days, so that a run can show it. A row is printed every minute. At the end each figure of
the last quarter stands beside that of the second (the first is warm-up); it exits 1 if one of them grew by a tenth.
"""

import asyncio
import base64
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import psycopg

from bench.server import Server, diary, founders, running
from bench.texts import memories, questions
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.domain.services.maintenance import Retention
from moltnet.entrypoints.cli.main import main as moltnet
from moltnet.entrypoints.settings import Settings

MINUTES, AGENTS, ENTRIES = 30.0, 4, 100
ROUND_S = 1.0  # each agent's pace: ten requests
SAMPLE_S = 15.0
KEPT = timedelta(minutes=2)
GROWN = 1.1
TABLES = """
    select coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'dbos'), 0),
        coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'public' and c.relname in
            ('diary_entries', 'entry_passages', 'diary_terms')), 0),
        coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'public' and c.relname not in
            ('diary_entries', 'entry_passages', 'diary_terms')), 0)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r'
"""
FIGURES = ("resident MB", "descriptors", "threads", "workflows MB", "entries MB", "other tables MB")


@attrs.define
class Member:
    """An agent at work; its diary holds its latest entries."""

    session: aiohttp.ClientSession
    credentials: Mapping[str, str]
    peer: str
    home: str = ""
    entries: list[str] = attrs.field(factory=list)
    requests: int = 0

    async def work(self, notes: Iterator[str], asked: Iterator[str], until: float) -> None:
        """Rounds of everything an agent does, one after the other, at a steady pace."""
        await self.sign_in()
        self.home = await diary(self.session)
        while time.monotonic() < until:
            began = time.monotonic()
            await self.round(notes, asked)
            await asyncio.sleep(max(0.0, began + ROUND_S - time.monotonic()))

    async def round(self, notes: Iterator[str], asked: Iterator[str]) -> None:
        """Ten requests or so."""
        path = f"/diaries/{self.home}/entries"
        key = {"Idempotency-Key": random.randbytes(16).hex()}
        body = {"content": next(notes), "tags": ["soak"]}
        made = await self.ask("POST", path, json=body, headers=key)
        await self.ask("POST", path, json=body, headers=key)
        self.entries.append(str(made["id"]))
        await self.ask("POST", "/diaries/search", json={"diaryId": self.home, "query": next(asked)})
        await self.ask("POST", "/diaries/search", json={"query": next(asked)})
        edited = random.choice(self.entries)
        await self.ask("PATCH", f"{path}/{edited}", json={"content": f"{body['content']} Edited."})
        await self.ask("GET", f"{path}?limit=20")
        if len(self.entries) > ENTRIES:
            await self.ask("DELETE", f"{path}/{self.entries.pop(0)}")
        await self.sign()
        if random.random() < 0.1:  # noqa: PLR2004 - now and then
            await self.sign_in()
            await self.ask("POST", f"/diaries/{self.home}/share", json={"fingerprint": self.peer})
            await self.ask("DELETE", f"/diaries/{self.home}/share/{self.peer}")

    async def sign(self) -> None:
        """Prepares, signs at home, submits."""
        request = await self.ask("POST", "/crypto/signing-requests", json={"message": "I was here"})
        keys = NaclKeyPair(base64.b64decode(self.credentials["privateKey"]))
        signature = keys.sign(base64.b64decode(request["signingInput"]))
        await self.ask("POST", f"/crypto/signing-requests/{request['id']}/sign", json={"signature": signature})

    async def sign_in(self) -> None:
        """A new access token."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.credentials["clientId"],
            "client_secret": self.credentials["clientSecret"],
        }
        token = (await self.ask("POST", "/oauth2/token", data=form))["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    async def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The answer; raises RuntimeError for one that is not good."""
        self.requests += 1
        async with self.session.request(method, path, **options) as answer:
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {answer.status} {await answer.text()}")
            return dict(await answer.json()) if answer.content_type == "application/json" else {}


async def main(folder: Path, minutes: float) -> bool:
    """Prints a row a minute, and whether all stayed as it was."""
    agents = founders(folder, AGENTS)
    with running(folder, program="bench.flat") as server, EmbeddedPostgres(folder) as postgres:
        address = postgres.start()
        until = time.monotonic() + minutes * 60
        sessions = [
            aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {each['accessToken']}"})
            for each in agents
        ]
        members = [
            Member(session, each, agents[number - 1]["fingerprint"])
            for number, (session, each) in enumerate(zip(sessions, agents, strict=True))
        ]
        notes, asked = _endless(memories), _endless(questions)
        try:
            async with asyncio.TaskGroup() as group:
                for member in members:
                    group.create_task(member.work(notes, asked, until))
                sampling = group.create_task(_sampled(server, address, members, until))
        finally:
            for session in sessions:
                await session.close()
        return _judged(sampling.result())


async def _sampled(server: Server, address: str, members: list[Member], until: float) -> list[list[float]]:
    print(f"{'minute':>8}{'requests':>10}" + "".join(f"{name:>17}" for name in FIGURES), flush=True)
    samples: list[list[float]] = []
    started = time.monotonic()
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        while time.monotonic() < until:
            sample = [*_process(server), *await _tables(connection)]
            samples.append(sample)
            if (len(samples) - 1) % round(60 / SAMPLE_S) == 0:
                done = sum(member.requests for member in members)
                row = f"{(time.monotonic() - started) / 60:>8.1f}{done:>10}"
                print(row + "".join(f"{figure:>17.1f}" for figure in sample), flush=True)
            await asyncio.sleep(SAMPLE_S)
    return samples


def _process(server: Server) -> list[float]:
    here = Path(f"/proc/{server.pid}")
    return [server.resident_mb(), *(float(len(list((here / each).iterdir()))) for each in ("fd", "task"))]


async def _tables(connection: psycopg.AsyncConnection[Any]) -> list[float]:
    cursor = await connection.execute(TABLES)
    return [float(size) / 1e6 for size in (await cursor.fetchone() or [])]


def _judged(samples: list[list[float]]) -> bool:
    quarter = max(1, len(samples) // 4)
    flat = True
    print("\nmeans of quarters of the run" + "".join(f"{name:>12}" for name in ("second", "last", "grown")))
    for number, name in enumerate(FIGURES):
        second = statistics.fmean(sample[number] for sample in samples[quarter : 2 * quarter])
        last = statistics.fmean(sample[number] for sample in samples[-quarter:])
        flat &= last <= second * GROWN
        print(f"  {name:<26}{second:>12.1f}{last:>12.1f}{last / second:>12.3f}")
    print("flat" if flat else "not flat")
    return flat


def _endless(texts: Any) -> Iterator[str]:
    while True:
        yield from texts(2000)


def _serve() -> None:
    """`moltnet` with a short memory for what is over."""
    Settings.retention = property(lambda _: Retention(workflows=KEPT, signing_requests=KEPT))  # type: ignore[method-assign,assignment]
    Settings.idempotency_lifetime = property(lambda _: KEPT)  # type: ignore[method-assign,assignment]
    moltnet()


if __name__ == "__main__":
    if "serve" in sys.argv:
        _serve()
    else:
        with tempfile.TemporaryDirectory(prefix="moltnet-flat-") as made:
            sys.exit(not asyncio.run(main(Path(made), float((sys.argv[1:] or [MINUTES])[0]))))
