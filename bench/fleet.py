"""Two hosts, one database and a proxy, each in a network namespace of its own: what clients see when a host goes.

`python -m bench.fleet`, as root, where HAProxy and libfaketime are installed (Debian's packages). Agents write, search
and sign through the proxy all the time. Meanwhile both servers are replaced, one after the other; a host is cut off and
nobody is told; its link is slow; its clock is two seconds ahead. What was acknowledged must be there once in the end.
"""

import asyncio
import base64
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import attrs

from bench.hosts import Host, a_database, a_network
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.entrypoints.settings import UNTHROTTLED

DATABASE, PROXY = Host("db", "10.91.0.10"), Host("proxy", "10.91.0.30")
HOSTS = Host("a", "10.91.0.21"), Host("b", "10.91.0.22")
URL = f"http://{PROXY.address}:8080"
SECRETS = {"RECOVERY_CHALLENGE_SECRET": "a secret of this bench", "ORY_ACTION_API_KEY": "a secret of this bench"}
AHEAD = {
    "LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "FAKETIME": "+2s",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
}
AGENTS, PHASE_S, CUT_S, ATTEMPTS = 4, 8.0, 20.0, 40
# The addresses of the example are those of documentation (RFC 5737).
HAPROXY = Path("deploy/haproxy.cfg").read_text(encoding="utf-8").replace("192.0.2.", "10.91.0.")


@attrs.define
class Phase:
    """What clients met while something happened."""

    name: str
    times: list[float] = attrs.field(factory=list)
    again: int = 0
    failed: int = 0
    reasons: Counter[str] = attrs.field(factory=Counter)

    def line(self) -> str:
        """A row of the table."""
        times = sorted(self.times)
        p99 = times[int(len(times) * 0.99)]
        return (
            f"{self.name:<24}{len(times):>9}{self.again:>9}{self.failed:>9}"
            f"{statistics.median(times) * 1000:>9.0f}{p99 * 1000:>9.0f}{times[-1] * 1000:>9.0f}"
            f"  {' '.join(f'{reason}: {count}' for reason, count in self.reasons.items())}"
        )


@attrs.define
class Fleet:
    """The servers, and what their clients were told."""

    database: str
    folder: Path
    agents: list[dict[str, str]] = attrs.field(factory=list)
    servers: dict[str, "subprocess.Popen[bytes]"] = attrs.field(factory=dict)
    phases: list[Phase] = attrs.field(factory=lambda: [Phase("start")])
    written: dict[str, list[str]] = attrs.field(factory=dict)
    signed: list[str] = attrs.field(factory=list)

    def found(self) -> None:
        """Makes the agents."""
        words = ("-m", "moltnet", "genesis", "--count", str(AGENTS), "--data", str(self.folder / "genesis"))
        command, variables = HOSTS[0].command(sys.executable, *words), {**os.environ, **self.environment}
        self.agents = json.loads(subprocess.run(command, env=variables, capture_output=True, check=True).stdout)

    async def start(self, host: Host, environment: dict[str, str] | None = None) -> None:
        """Starts a server on a host, and waits until it is ready."""
        words = ("-m", "moltnet", "serve", "--host", host.address, "--port", "8000")
        variables = {**self.environment, **(environment or {})}
        command = (sys.executable, *words, "--data", str(self.folder / host.name))
        self.servers[host.name] = host.start(*command, log=self.folder / f"{host.name}.log", environment=variables)
        await _ready(f"http://{host.address}:8000")

    async def stop(self, host: Host) -> float:
        """Ends a server as an operator would; how long that took."""
        server, began = self.servers.pop(host.name), time.monotonic()
        server.send_signal(signal.SIGTERM)
        await asyncio.to_thread(server.wait, 30)
        return time.monotonic() - began

    @property
    def environment(self) -> dict[str, str]:
        """What every server is told."""
        return {
            **UNTHROTTLED,
            **SECRETS,
            "DATABASE_URL": self.database,
            "MOLTNET_PUBLIC_URL": URL,
            "MOLTNET_TRUSTED_PROXIES": PROXY.address,
        }

    @contextmanager
    def phase(self, name: str) -> Any:
        """What is met from now on is met in this phase."""
        self.phases.append(Phase(name))
        yield
        self.phases.append(Phase("between"))


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(150):
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(f"{url}/ready", timeout=aiohttp.ClientTimeout(total=2)) as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.1)


@attrs.define
class Agent:
    """A client that repeats what was not answered, under the same key."""

    fleet: Fleet
    session: aiohttp.ClientSession
    credentials: dict[str, str]
    diary: str = ""
    token: str = ""
    number: int = 0

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """What is answered in the end, of whichever attempt."""
        phase, began = self.fleet.phases[-1], time.monotonic()
        self.number += 1
        key = {"Idempotency-Key": f"{self.credentials['name']}-{self.number}"} if method == "POST" else {}
        for attempt in range(ATTEMPTS):
            headers = {**key, "Authorization": f"Bearer {self.token}"}
            try:
                async with self.session.request(method, URL + path, headers=headers, **options) as answer:
                    if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                        phase.times.append(time.monotonic() - began)
                        phase.again += attempt > 0
                        return answer.status, await answer.json(content_type=None)
                    phase.reasons[str(answer.status)] += 1
            except (aiohttp.ClientError, TimeoutError) as error:
                phase.reasons[type(error).__name__] += 1
            await asyncio.sleep(0.25)
        phase.failed += 1
        return 0, None

    async def sign_in(self) -> None:
        """A fresh token, from whichever server."""
        names = {"client_id": self.credentials["clientId"], "client_secret": self.credentials["clientSecret"]}
        form = {"grant_type": "client_credentials", **names}
        self.token = (await self.ask("POST", "/oauth2/token", data=form))[1]["access_token"]

    async def live(self, until: asyncio.Event) -> None:
        """Writes, searches and signs."""
        await self.sign_in()
        self.diary = (await self.ask("GET", "/diaries"))[1]["items"][0]["id"]
        contents = self.fleet.written.setdefault(self.credentials["name"], [])
        while not until.is_set():
            content = f"note {len(contents)} of {self.credentials['name']}"
            status, _ = await self.ask("POST", f"/diaries/{self.diary}/entries", json={"content": content})
            if status == HTTPStatus.CREATED:
                contents.append(content)
            elif status:
                raise RuntimeError(f"{status} for a write")
            if len(contents) % 4 == 0:
                await self.ask("POST", "/diaries/search", json={"query": content, "diaryId": self.diary})
            if len(contents) % 5 == 0:
                await self.finish(await self.begin())
            if len(contents) % 20 == 0:
                await self.sign_in()

    async def begin(self) -> dict[str, Any] | None:
        """A request to sign something."""
        message = f"message {self.number} of {self.credentials['name']}"
        status, request = await self.ask("POST", "/crypto/signing-requests", json={"message": message})
        return dict(request) if status == HTTPStatus.CREATED else None

    async def finish(self, request: dict[str, Any] | None) -> None:
        """The signature of one, and its workflow's verdict."""
        if request is None:
            return
        keys = NaclKeyPair(base64.b64decode(self.credentials["privateKey"]))
        signature = keys.sign(base64.b64decode(request["signingInput"]))
        path = f"/crypto/signing-requests/{request['id']}"
        status, answer = await self.ask("POST", f"{path}/sign", json={"signature": signature})
        while status not in {0, HTTPStatus.CONFLICT} and answer.get("status") == "pending":
            await asyncio.sleep(0.25)
            status, answer = await self.ask("GET", path)
        self.fleet.signed.append(request["id"])


async def main(folder: Path) -> None:
    """Runs every phase, checks what is there at the end, and prints tables."""
    with a_network([DATABASE, PROXY, *HOSTS]), a_database(DATABASE, folder / "database") as database:
        fleet = Fleet(database, folder)
        fleet.found()
        try:
            for host in HOSTS:
                await fleet.start(host)
            async with _proxy(folder):
                await _ready(URL)
                await _story(fleet)
        finally:
            for server in fleet.servers.values():
                server.kill()


@asynccontextmanager
async def _proxy(folder: Path) -> AsyncIterator[None]:
    (folder / "haproxy.cfg").write_text(HAPROXY, encoding="utf-8")
    proxy = PROXY.start("haproxy", "-db", "-f", str(folder / "haproxy.cfg"), log=folder / "haproxy.log")
    try:
        yield
    finally:
        proxy.terminate()
        proxy.wait(10)


async def _story(fleet: Fleet) -> None:
    ended, facts = asyncio.Event(), list[str]()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=45)) as session:
        agents = [Agent(fleet, session, credentials) for credentials in fleet.agents]
        living = [asyncio.create_task(agent.live(ended)) for agent in agents]
        try:
            await _phases(fleet, agents, facts)
        finally:
            ended.set()
        await asyncio.gather(*living)
        await asyncio.sleep(1)
        fleet.phases.append(Phase("check"))
        facts += [await _audit(fleet, agents)]
    print(f"{'while':<24}{'answered':>9}{'again':>9}{'failed':>9}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for phase in fleet.phases:
        if phase.name not in {"start", "between", "check"}:
            print(phase.line())
    print(*facts, sep="\n")


async def _phases(fleet: Fleet, agents: list[Agent], facts: list[str]) -> None:
    first, second = HOSTS
    await asyncio.sleep(2)
    with fleet.phase("nothing"):
        await asyncio.sleep(PHASE_S)
    with fleet.phase("both are replaced"):
        took = list[float]()
        for host in HOSTS:
            took.append(await fleet.stop(host))
            await fleet.start(host)
            await asyncio.sleep(4)  # the proxy looks again
        facts.append(f"ends took {', '.join(f'{seconds:.1f} s' for seconds in took)}")
    # Workflows that the host which is cut off has begun: the other one finishes them.
    begun = [(agent, await _begun_at(first, agent)) for agent in agents for _ in range(3)]
    with fleet.phase("one host is cut off"):
        with first.cut_off():
            cut = time.monotonic()
            await asyncio.gather(*(agent.finish(request) for agent, request in begun))
            took_s = time.monotonic() - cut
            await asyncio.sleep(max(0.0, CUT_S - took_s))
        facts.append(f"{len(begun)} workflows that it had begun had ended {took_s:.1f} s later")
        await asyncio.sleep(2)
    with fleet.phase("a link is slow (1 Mbit/s)"), first.slow("1mbit"):
        await asyncio.sleep(PHASE_S)
    await fleet.stop(second)
    for _ in range(3):  # a program under libfaketime sometimes waits for ever as it starts
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                await fleet.start(second, AHEAD)
                break
        fleet.servers[second.name].kill()
    with fleet.phase("a clock is 2 s ahead"):
        await asyncio.sleep(PHASE_S)
        facts.append(await _revocations(agents))


async def _begun_at(host: Host, agent: Agent) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {agent.token}"}
    url = f"http://{host.address}:8000/crypto/signing-requests"
    async with agent.session.post(url, headers=headers, json={"message": "to be finished elsewhere"}) as answer:
        answer.raise_for_status()
        return dict(await answer.json())


async def _revocations(agents: list[Agent]) -> str:
    """How long after a share is revoked it is still of use, at either server; nothing may be read after the answer."""
    owner, reader = agents[0], agents[1]
    late = 0
    for _ in range(10):
        path = f"/diaries/{owner.diary}/share"
        invited = await owner.ask(
            "POST", path, json={"fingerprint": reader.credentials["fingerprint"], "role": "reader"}
        )
        pending = (await reader.ask("GET", "/diaries/invitations"))[1]["invitations"]
        await reader.ask("POST", f"/diaries/invitations/{pending[0]['id']}/accept")
        assert (await reader.ask("GET", f"/diaries/{owner.diary}"))[0] == HTTPStatus.OK, invited
        await owner.ask("DELETE", f"{path}/{reader.credentials['fingerprint']}")
        late += sum([(await reader.ask("GET", f"/diaries/{owner.diary}"))[0] == HTTPStatus.OK for _ in range(4)])
    return f"10 revocations: {late} of 40 reads after the answer were let in"


async def _audit(fleet: Fleet, agents: list[Agent]) -> str:
    lost, twice, stored = 0, 0, 0
    for agent in agents:
        found, contents = Counter[str](), fleet.written[agent.credentials["name"]]
        while True:
            page = (await agent.ask("GET", f"/diaries/{agent.diary}/entries?limit=100&offset={found.total()}"))[1]
            found.update(entry["content"] for entry in page["items"])
            if found.total() >= page["total"]:
                break
        lost += sum(not found[content] for content in contents)
        twice += sum(count > 1 for count in found.values())
        stored += len(contents)
    signatures = Counter[str]()
    for agent in agents:
        for request in set(fleet.signed):
            status, answer = await agent.ask("GET", f"/crypto/signing-requests/{request}")
            if status == HTTPStatus.OK:
                signatures[f"{answer['status']}, valid: {answer['valid']}"] += 1
    return f"{stored} entries acknowledged: {lost} lost, {twice} stored twice; signatures: {dict(signatures)}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-fleet-") as made:
        Path(made).chmod(0o755)
        asyncio.run(main(Path(made)))
