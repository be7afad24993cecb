"""Agents carry on without an error: several processes with one identity, rotated secrets, servers that restart."""

import asyncio
import sys
from pathlib import Path
from urllib.parse import parse_qs

import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from moltnet import Agent, connect
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import ClientId
from moltnet.entrypoints.container.remote import file_keyring
from moltnet.ports.keys import Keyring, OwnIdentity
from moltnet.ports.remote import AuthenticationError
from tests.support.builders import an_id
from tests.support.live_server import LiveServer, all_contents, first_diary, genesis, start, until
from tests.support.networks import in_memory
from tests.support.scripted import a_script
from tests.support.worlds import Served, served

TIMES = 24


async def test_processes_that_rotate_one_secret_do_not_put_each_other_out(network: Served, tmp_path: Path) -> None:
    founder = await network.network.genesis(keyring=file_keyring(tmp_path / "moltnet.json"))
    names, rhythms = ("a", "b"), (3, 5)
    ended = await asyncio.gather(*(_holder(tmp_path, name, every) for name, every in zip(names, rhythms, strict=True)))
    assert ended == [(0, b"")] * len(names)
    (diary,) = await founder.diaries.list()
    entries, total = await founder.diary.list(diary.id, limit=100)
    assert total == TIMES * len(names)
    assert {entry.content for entry in entries} == {f"{name} {number}" for name in names for number in range(TIMES)}


async def test_a_secret_that_another_process_rotated_is_found_in_the_keyring(network: Served, keyring: Keyring) -> None:
    await network.network.genesis(keyring=keyring)
    async with await connect(api_url=network.url) as one, await connect(api_url=network.url) as other:
        before = await one.agents.whoami()
        fresh = await other.auth.rotate_secret()
        assert await asyncio.gather(*(one.agents.whoami() for _ in range(5))) == [before] * 5
        await one.vouch.issue()
        kept = keyring.read()
        assert kept
        assert kept.credentials == fresh


async def test_a_secret_that_is_stored_a_moment_later_is_waited_for(network: Served, keyring: Keyring) -> None:
    """The network knows a fresh secret before whoever asked for it does."""
    founder = await network.network.genesis(keyring=keyring)
    slow = _Slow(inner=keyring)
    async with await connect(api_url=network.url, keyring=slow) as agent:
        await agent.agents.whoami()
        slow.kept_at_first = keyring.read()
        await founder.auth.rotate_secret()
        await agent.agents.whoami()
    assert slow.reads > 2


async def test_a_secret_that_is_replaced_again_before_its_fresh_token_is_used_is_followed(
    network: Served, keyring: Keyring
) -> None:
    await network.network.genesis(keyring=keyring)
    secrets = iter(("second", "third", "fourth"))

    async def overtaken(_: web.Request) -> web.StreamResponse:
        fresh = next(secrets, None)
        if fresh is None:
            return web.json_response({"items": []})
        keyring.renew(_credentials(fresh))
        return web.json_response({"detail": "Invalid or expired token"}, status=401)

    async with a_script() as server, await connect(api_url=server.url) as agent:
        server.says("GET /diaries", overtaken)
        assert await agent.diaries.list() == []
        assert server.times("GET /diaries") == 4
        used = [secret for body in server.bodies if body for secret in parse_qs(body)["client_secret"]]
        assert used[-2:] == ["third", "fourth"]


async def test_another_agents_keyring_is_no_way_to_go_on(network: Served, keyring: Keyring) -> None:
    founder = await network.network.genesis(keyring=keyring)
    assert founder.identity
    async with await connect(api_url=network.url) as agent:
        await agent.agents.whoami()
        stranger = attrs.evolve(founder.identity, agent_id=an_id(), credentials=_credentials())
        keyring.keep(stranger)
        await (await network.network.agent(founder.identity)).auth.rotate_secret()
        with pytest.raises(AuthenticationError):
            await agent.agents.whoami()


async def test_a_server_that_comes_back_on_its_port_finds_its_agents_working() -> None:
    port, infrastructure = unused_port(), in_memory()
    async with served(infrastructure, port=port) as first:
        founder = await first.network.genesis()
        assert founder.identity
        secret = founder.identity.credentials
        agent = await connect(client_id=str(secret.client_id), client_secret=secret.secret, api_url=first.url)
        (diary,) = await agent.diaries.list()
    async with agent:
        writing = asyncio.ensure_future(agent.diary.create(diary.id, content="written meanwhile"))
        reading = asyncio.ensure_future(agent.diaries.list())
        await asyncio.wait([writing, reading], timeout=0.1)
        assert not writing.done()
        async with served(infrastructure, port=port):
            assert (await writing).content == "written meanwhile"
            assert await reading == [diary]


@pytest.mark.real
async def test_a_restart_is_not_noticed(tmp_path: Path) -> None:
    port = str(unused_port())
    (founder,) = await genesis(tmp_path)
    server = await start(tmp_path, "--port", port)
    written: list[str] = []
    try:
        async with await connect(
            client_id=founder["clientId"], client_secret=founder["clientSecret"], api_url=server.url
        ) as agent:
            working = asyncio.ensure_future(_work(agent, written))
            for end in (LiveServer.stop, LiveServer.kill):
                before = len(written)
                await until(lambda before=before: len(written) > before + 3 or working.done())  # type: ignore[misc]
                await end(server)
                server = await start(tmp_path, "--port", port)
            before = len(written)
            await until(lambda: len(written) > before + 3 or working.done())
            assert not working.done(), working
            working.cancel()
            async with server.session(founder["accessToken"]) as session:
                contents = await all_contents(session, await first_diary(session))
        assert sorted(contents, key=int)[: len(written)] == written
        assert len(contents) in {len(written), len(written) + 1}  # the last one's answer may not have been waited for
    finally:
        if server.process.returncode is None:
            await server.stop()


async def _work(agent: Agent, written: list[str]) -> None:
    (diary,) = await agent.diaries.list()
    while True:
        text = str(len(written))
        await agent.diary.create(diary.id, content=text, key=f"key-{text}")
        await agent.agents.whoami()
        written.append(text)


async def _holder(folder: Path, name: str, every: int) -> tuple[int | None, bytes]:
    command = (sys.executable, "-m", "tests.support.holder", str(folder), name, str(TIMES), str(every))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    return process.returncode, errors


def _credentials(secret: str = "another") -> ClientSecret:
    return ClientSecret(client_id=ClientId(an_id()), secret=secret)


@attrs.define(kw_only=True)
class _Slow:
    """A keyring that shows a renewed secret only when it is read for the third time."""

    inner: Keyring
    kept_at_first: OwnIdentity | None = None
    reads: int = 0

    def read(self) -> OwnIdentity | None:
        if self.kept_at_first is None:
            return self.inner.read()
        self.reads += 1
        return self.kept_at_first if self.reads < 3 else self.inner.read()

    def renew(self, credentials: ClientSecret) -> None:
        self.inner.renew(credentials)
