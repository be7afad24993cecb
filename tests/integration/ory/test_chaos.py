"""The real services killed, paused and started again under load: refusals that say so, and nothing orphaned.

Needs `MOLTNET_TEST_ORY_CONTROL`; prints a table with `-s`.
"""

import asyncio
import base64
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
from aiohttp import ClientSession

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.domain.registration import proof_message
from tests.support.live_server import asked, first_diary
from tests.support.ory.deployments import Deployment, a_deployment
from tests.support.ory.named import SERVICES, control, has_control, real_alone
from tests.support.postgres import rows

pytestmark = [
    pytest.mark.real,
    pytest.mark.ory,
    pytest.mark.soak,
    real_alone,
    pytest.mark.skipif(not has_control(), reason="MOLTNET_TEST_ORY_CONTROL names no command"),
]

FAULTS = {"kill": "start", "pause": "unpause"}
AWAY_S, BACK_WITHIN_S = 12.0, 60.0
LONGEST_S = 30.0
# A share that could not be revoked is still there when it is made again.
ANSWERS = {200, 201, 204, 404, 409, 502}
Work: TypeAlias = Callable[[], Awaitable[None]]


@attrs.define
class Phase:
    """What the load met: statuses by operation, 502s that did not say when to come back, and the longest wait."""

    name: str
    statuses: dict[str, Counter[int]] = attrs.field(factory=dict)
    latest: dict[str, int] = attrs.field(factory=dict)
    hasty: list[str] = attrs.field(factory=list)
    longest_s: dict[str, float] = attrs.field(factory=dict)

    def line(self, operation: str) -> str:
        """Status and count of an operation, and the longest wait."""
        counts = " ".join(f"{status}:{count}" for status, count in sorted(self.statuses[operation].items()))
        return f"{operation:<10}{counts:<34}longest {self.longest_s[operation]:.1f} s"


@attrs.define
class Load:
    """Agents that work without a pause; `phase` says where it is counted."""

    deployment: Deployment
    owner: ClientSession
    guest: ClientSession
    other: ClientSession
    diary: str
    entry: str
    guest_fingerprint: str
    secret: Mapping[str, str]
    key: NaclKeyPair
    phase: Phase = attrs.field(factory=lambda: Phase("before"))
    over: asyncio.Event = attrs.field(factory=asyncio.Event)
    leaks: list[str] = attrs.field(factory=list)
    registering: tuple[NaclKeyPair, str] | None = None

    async def ask(self, operation: str, http: ClientSession, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """A request, counted."""
        phase, started = self.phase, time.monotonic()
        async with http.request(method, path, **options) as answer:
            body = await answer.json(content_type=None)
        took = time.monotonic() - started
        phase.statuses.setdefault(operation, Counter())[answer.status] += 1
        phase.latest[operation] = answer.status
        phase.longest_s[operation] = max(took, phase.longest_s.get(operation, 0))
        if answer.status == 502 and "Retry-After" not in answer.headers:
            phase.hasty.append(f"{operation} {path}")
        return answer.status, body

    async def whoami(self) -> None:
        await self.ask("whoami", self.owner, "GET", "/agents/whoami")

    async def read(self) -> None:
        await self.ask("read", self.owner, "GET", f"/diaries/{self.diary}/entries/{self.entry}")

    async def write(self) -> None:
        await self.ask("write", self.owner, "POST", f"/diaries/{self.diary}/entries", json={"content": "The harbour"})

    async def pry(self) -> None:
        status, _ = await self.ask("stranger", self.other, "GET", f"/diaries/{self.diary}/entries/{self.entry}")
        if status == 200:
            self.leaks.append("a stranger read the entry")

    async def token(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": self.secret["clientId"]}
        form |= {"client_secret": self.secret["clientSecret"]}
        await self.ask("token", self.other, "POST", "/oauth2/token", data=form)

    async def share(self) -> None:
        """Shares the diary, lets the guest accept and read, and revokes; then it must not read."""
        body = {"fingerprint": self.guest_fingerprint}
        status, share = await self.ask("share", self.owner, "POST", f"/diaries/{self.diary}/share", json=body)
        if status == 201:
            await self.ask("accept", self.guest, "POST", f"/diaries/invitations/{share['id']}/accept")
        path = f"/diaries/{self.diary}/share/{self.guest_fingerprint}"
        status, _ = await self.ask("revoke", self.owner, "DELETE", path)
        if status in {200, 204, 404}:
            read, _ = await self.ask("revoked", self.guest, "GET", f"/diaries/{self.diary}/entries/{self.entry}")
            if read == 200:
                self.leaks.append("a revoked guest read the entry")

    async def register(self) -> None:
        """A new agent; one whose registration failed is registered again, with its voucher."""
        if self.registering is None:
            status, voucher = await self.ask("vouch", self.owner, "POST", "/vouch")
            if status != 201:
                return
            self.registering = NaclKeyPair.generate(), voucher["code"]
        key, code = self.registering
        body = {"public_key": key.public_key.text, "voucher_code": code}
        body["proof"] = key.sign(proof_message(key.public_key, code))
        status, _ = await self.ask("register", self.other, "POST", "/auth/register", json=body)
        if status == 200:
            self.registering = None

    async def recover(self) -> None:
        """Proves a key, and gets a recovery code for it."""
        key = self.key
        _, told = await self.ask(
            "challenge", self.other, "POST", "/recovery/challenge", json={"publicKey": key.public_key.text}
        )
        body = told | {"publicKey": key.public_key.text, "signature": key.sign(told["challenge"].encode())}
        await self.ask("recover", self.other, "POST", "/recovery/verify", json=body)

    async def repeated(self, work: Work) -> None:
        while not self.over.is_set():
            await work()
            await asyncio.sleep(0.02)

    def all_well(self) -> bool:
        """Whether the latest answer to each operation, since the phase began, was a good one."""
        wanted = {"whoami", "read", "write", "token", "share", "register", "recover"}
        return wanted <= self.phase.latest.keys() and 502 not in self.phase.latest.values()


@asynccontextmanager
async def a_load(deployment: Deployment) -> AsyncIterator[Load]:
    async with AsyncExitStack() as stack:

        async def session(agent: Any) -> ClientSession:
            http = deployment.server.session(await agent.get_token())
            return await stack.enter_async_context(http)

        founder = deployment.founder
        guest, secret_holder = await deployment.agent(), await deployment.register()
        other = await deployment.connect(secret_holder)
        for agent in (guest, other):
            await stack.enter_async_context(agent)
        owner = await session(founder)
        diary = await first_diary(owner)
        status, entry = await asked(owner, "POST", f"/diaries/{diary}/entries", json={"content": "The harbour"})
        assert status == 201
        secret = secret_holder.credentials
        load = Load(
            deployment=deployment,
            owner=owner,
            guest=await session(guest),
            other=await session(other),
            diary=diary,
            entry=entry["id"],
            guest_fingerprint=(await guest.agents.whoami()).fingerprint.text,
            key=NaclKeyPair(base64.b64decode(secret_holder.private_key)),
            secret={"clientId": str(secret.client_id), "clientSecret": secret.secret},
        )
        works = [load.whoami, load.read, load.write, load.pry, load.token, load.share, load.register, load.recover]
        tasks = [asyncio.create_task(load.repeated(work)) for work in works]
        try:
            yield load
        finally:
            load.over.set()
            await asyncio.gather(*tasks)


async def ids_of(http: ClientSession, path: str, member: str) -> set[str]:
    """Every id of a listing of Kratos' or Hydra's, page by page."""
    found: set[str] = set()
    url: str | None = f"{path}?page_size=250"
    while url:
        async with http.get(url, raise_for_status=True) as answer:
            found |= {each[member] for each in await answer.json()}
            links = answer.links.get("next")
            url = str(links["url"].relative()) if links and await answer.json() else None
    return found


async def orphans(deployment: Deployment, before: dict[str, set[str]]) -> dict[str, set[str]]:
    """What the services have of no agent, and what they lack of one."""
    with EmbeddedPostgres(deployment.data) as database:
        conninfo = database.start()
        agents = {str(row[0]) for row in await rows(conninfo, "select identity_id from agent_keys")}
        clients = {str(row[0]) for row in await rows(conninfo, "select client_id from oauth_clients")}
    now = await present(deployment)
    identities, registered = now["identities"] - before["identities"], now["clients"] - before["clients"]
    return {
        "identities of nobody": identities - agents,
        "agents without an identity": agents - now["identities"],
        "clients of nobody": registered - clients,
        "agents without a client": clients - now["clients"],
    }


async def present(deployment: Deployment) -> dict[str, set[str]]:
    sides = deployment.sides
    async with ClientSession(sides["kratos", "admin"]) as kratos, ClientSession(sides["hydra", "admin"]) as hydra:
        return {
            "identities": await ids_of(kratos, "/admin/identities", "id"),
            "clients": await ids_of(hydra, "/admin/clients", "client_id"),
        }


async def test_services_that_die_and_hang_under_load(tmp_path: Path):
    async with a_deployment(tmp_path / "data") as deployment:
        before = await present(deployment)
        async with a_load(deployment) as load:
            await asyncio.sleep(3)
            for service in SERVICES:
                for fault, mend in FAULTS.items():
                    await _away(load, service, fault, mend)
        left = await _settled(deployment, before)
        sys.stdout.write(f"left over: { {name: len(each) for name, each in left.items()} }\n")
    assert load.leaks == []
    assert {name: each for name, each in left.items() if each} == {}


async def _away(load: Load, service: str, fault: str, mend: str) -> None:
    load.phase = phase = Phase(f"{service}: {fault}")
    await control(fault, service)
    await asyncio.sleep(AWAY_S)
    await control(mend, service)
    started = time.monotonic()
    load.phase = recovering = Phase("back")
    while not load.all_well():
        assert time.monotonic() - started < BACK_WITHIN_S, recovering.latest
        await asyncio.sleep(0.1)
    back_s = time.monotonic() - started
    sys.stdout.write(f"\n{phase.name}, away for {AWAY_S:.0f} s; all well {back_s:.1f} s after its return\n")
    sys.stdout.writelines(f"  {phase.line(operation)}\n" for operation in sorted(phase.statuses))
    sys.stdout.flush()
    assert phase.hasty == []
    assert {status for counts in phase.statuses.values() for status in counts} <= ANSWERS
    assert max(phase.longest_s.values()) < LONGEST_S


async def _settled(deployment: Deployment, before: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is left over once registrations that failed are undone, which takes until then."""
    deadline = time.monotonic() + BACK_WITHIN_S
    while True:
        left = await orphans(deployment, before)
        if not any(left.values()) or time.monotonic() > deadline:
            return left
        await asyncio.sleep(1)
