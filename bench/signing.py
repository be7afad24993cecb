"""What a signature costs, and what requests cost that nobody has signed yet.

`python -m bench.signing`. Times are beside three bare round trips to the database (store, read, write back), in turns
in one run. The use cases are called without REST in front of them; the database is the embedded one.
"""

import asyncio
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import attrs
import psycopg

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.domain.caller import Caller
from moltnet.domain.credentials import ALL_SCOPES
from moltnet.domain.services import Services
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.settings import UNTHROTTLED, read_settings

ROUNDS, OPEN, WATCH_S = 200, 1000, 10.0
TABLE = "create table bare (id uuid primary key, message text not null, signature text)"
STORE = "insert into bare (id, message) values (%s, 'message')"
READ = "select message from bare where id = %s"
WRITE_BACK = "update bare set signature = 'signature' where id = %s"


@attrs.frozen
class Signer:
    """An agent with its key."""

    services: Services
    keys: NaclKeyPair
    caller: Caller

    async def sign(self) -> None:
        """Prepares, signs at home, submits."""
        request = await self.services.signing.prepare(self.caller, "I was here")
        done = await self.services.signing.submit(self.caller, request.id, self.keys.sign(request.framed))
        if done.valid is not True:
            raise RuntimeError(done.status)


async def main(folder: Path) -> None:
    """Prints times, their ratio, and what waiting costs."""
    settings = read_settings(folder, UNTHROTTLED)
    with EmbeddedPostgres(folder) as postgres:
        address = postgres.start()
        async with (
            await psycopg.AsyncConnection.connect(address, autocommit=True) as connection,
            network(settings, settings.url(1), with_model=False) as services,
        ):
            await connection.execute(TABLE)
            signer = await _signer(services)

            async def bare() -> None:
                row = (uuid4(),)
                for statement in (STORE, READ, WRITE_BACK):
                    await connection.execute(statement, row)

            three, signed = await _alternating(bare, signer.sign)
            print(f"three bare round trips   p50 {three * 1e3:6.2f} ms")
            print(f"prepare, sign, submit    p50 {signed * 1e3:6.2f} ms   {signed / three:.1f} times that (aim 5)")
            await _waiting(signer)


async def _alternating(*acts: Callable[[], Awaitable[None]]) -> list[float]:
    times: list[list[float]] = [[] for _ in acts]
    for number in range(ROUNDS + 20):
        for act, taken in zip(acts, times, strict=True):
            started = time.perf_counter()
            await act()
            if number >= 20:  # noqa: PLR2004 - the first ones warm up
                taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in times]


async def _waiting(signer: Signer) -> None:
    async with _measured("nothing waits"):
        pass
    before = _resident_mb()
    started = time.perf_counter()
    for _ in range(OPEN // 50):
        await asyncio.gather(*(signer.services.signing.prepare(signer.caller, "not yet") for _ in range(50)))
    print(f"{OPEN} requests prepared in {time.perf_counter() - started:.1f} s, 50 at a time")
    async with _measured(f"{OPEN} requests wait"):
        pass
    print(f"they hold {_resident_mb() - before:.0f} MB and {_threads()} threads are there in all")


@asynccontextmanager
async def _measured(what: str) -> AsyncIterator[None]:
    yield
    await asyncio.sleep(2)
    usage, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    await asyncio.sleep(WATCH_S)
    now, passed = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - started
    used = now.ru_utime + now.ru_stime - usage.ru_utime - usage.ru_stime
    print(f"{what:<24} {used / passed:6.1%} of a core")


async def _signer(services: Services) -> Signer:
    keys = NaclKeyPair.generate()
    joined = await services.registration.genesis(keys.public_key.text)
    client = joined.credentials.client_id
    agent, key = joined.agent_id, keys.public_key
    caller = Caller(agent_id=agent, public_key=key, client_id=client, scopes=ALL_SCOPES, client_scopes=ALL_SCOPES)
    return Signer(services, keys, caller)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-signing-") as made:
        asyncio.run(main(Path(made)))
    sys.exit(0)
