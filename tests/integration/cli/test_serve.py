"""`moltnet serve` as a process: what it says, how it stops, and what it needs to start."""

import asyncio
import json
import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.entrypoints.container.remote import new_key_pair
from tests.support.commands import SECRETS, accepts, heard, run, text_of
from tests.support.external import a_silent_database
from tests.support.live_server import LiveServer, asked, first_diary, genesis, moltnet, processes_of, until

pytestmark = pytest.mark.real

BEGUN = 6
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@attrs.frozen
class ServeNetwork:
    """A data folder, and an agent of the network in it."""

    data: Path
    founder: dict[str, str]

    @property
    def token(self) -> str:
        return self.founder["accessToken"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeNetwork]:
    data = tmp_path_factory.mktemp("network") / "data"
    with EmbeddedPostgres(data):  # for all tests: no server of theirs is the last to leave it
        (founder,) = asyncio.run(genesis(data))
        yield ServeNetwork(data, founder)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@attrs.frozen
class Begun:
    """A request that the server has begun to handle, all but for its body."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def at(cls, server: LiveServer, path: str, token: str, length: int) -> "Begun":
        address = urlsplit(server.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        )
        writer.write(head.encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        return cls(reader, writer)

    async def answer(self) -> bytes:
        """All of it, up to the end of the connection."""
        try:
            return await self.reader.read()
        finally:
            self.writer.close()


async def test_signal_ends_it_when_what_has_begun_is_answered(network: ServeNetwork, tmp_path: Path) -> None:
    await asyncio.gather(*(_end_in_the_middle(network, number, tmp_path / number.name) for number in SIGNALS))


async def _end_in_the_middle(network: ServeNetwork, number: signal.Signals, log: Path) -> None:
    async with heard("serve", "--data", str(network.data), log=log) as server:
        async with server.session(network.token) as session:
            path = f"/diaries/{await first_diary(session)}/entries"
        body = json.dumps({"content": "A long story. " * 100}).encode()
        requests = [await Begun.at(server, path, network.token, len(body)) for _ in range(BEGUN)]
        for request in requests:
            request.writer.write(body)
        answers = [asyncio.create_task(request.answer()) for request in requests]
        answered, is_open = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert is_open, "nothing was in flight any more"
        server.process.send_signal(number)
        assert {(await answer)[:20] for answer in answered | is_open} == {b"HTTP/1.1 201 Created"}
        assert await server.process.wait() == 0
        assert server.process.stdout
        assert await server.process.stdout.read() == b""  # the line that it is ready was all
    assert "Traceback" not in text_of(log)


async def test_signal_at_its_start_ends_it_as_well(tmp_path: Path) -> None:
    """Here the start takes long: the database takes the connection and never says a word."""
    several = ("--workers", "2")
    ways = [(signal.SIGTERM, ()), (signal.SIGINT, ()), (signal.SIGTERM, several), (signal.SIGINT, several)]
    await asyncio.gather(*(_end_at_the_start(tmp_path / "data", number, *options) for number, options in ways))


async def _end_at_the_start(data: Path, number: signal.Signals, *options: str) -> None:
    arguments = ("serve", "--port", "0", "--data", str(data), *options)
    async with a_silent_database() as (url, connected):
        process = await moltnet(*arguments, environment={"DATABASE_URL": url, **SECRETS})
        await connected.wait()
        process.send_signal(number)
        output, log = await process.communicate()
        assert (output, log.count(b"\n"), log.endswith(b"moltnet stopped\n")) == (b"", 1, True)
    assert process.returncode == 0


async def test_interrupted_command_ends_without_a_traceback(tmp_path: Path) -> None:
    async with a_silent_database() as (url, connected):
        process = await moltnet("genesis", "--data", str(tmp_path), environment={"DATABASE_URL": url, **SECRETS})
        await connected.wait()
        process.send_signal(signal.SIGINT)
        assert await process.communicate() == (b"", b"Stopped.\n")
    assert process.returncode == 130


async def test_sigterm_before_it_can_drain_ends_it_as_well(network: ServeNetwork, free_port: int) -> None:
    process = await moltnet("serve", "--data", str(network.data), environment={"PORT": str(free_port)})
    await until(lambda: accepts(free_port))  # it listens before it does anything else
    process.terminate()
    await process.communicate()
    assert process.returncode == 0


async def test_server_whose_output_nobody_reads_serves_all_the_same(network: ServeNetwork, free_port: int) -> None:
    process = await moltnet("serve", "--data", str(network.data), environment={"PORT": str(free_port)})
    assert process.stdout
    process.stdout._transport.close()  # type: ignore[attr-defined]
    await until(lambda: accepts(free_port))
    async with LiveServer(process, f"http://127.0.0.1:{free_port}").session() as session:
        assert (await asked(session, "GET", "/health"))[0] == 200
    process.terminate()
    _, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in errors, errors.decode()


async def test_log_has_a_line_for_each_request_and_no_secret(network: ServeNetwork, tmp_path: Path) -> None:
    async with heard("serve", "--data", str(network.data), log=tmp_path / "log") as server:
        secrets = await _use_every_secret(server, network)
    text = text_of(tmp_path / "log")
    lines = [json.loads(line.partition(" moltnet.rest.access ")[2]) for line in text.splitlines() if "access" in line]
    assert {"/oauth2/token", "/auth/register", "/recovery/verify"} <= {line.get("route") for line in lines}
    assert {200, 201, 400, 401, 403, 404} <= {line["status"] for line in lines}
    secrets |= {text_of(network.data / name.lower()) for name in SECRETS}
    assert len(secrets) >= 9
    assert not [secret for secret in secrets if secret in text]


async def test_worker_that_is_killed_is_replaced_and_nobody_notices(network: ServeNetwork, tmp_path: Path) -> None:
    data = network.data
    async with heard("serve", "--data", str(data), "--workers", "2", log=tmp_path / "log") as server:
        before = _workers(data)
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        async with server.session(network.token) as session:
            await until(lambda: before[0] not in _workers(data))
            for _ in range(20):
                assert (await asked(session, "GET", "/agents/whoami"))[0] == 200
        await until(lambda: len(_workers(data)) == 2 and before[0] not in _workers(data))
        assert await server.stop() == 0
        assert server.process.stdout
        assert await server.process.stdout.read() == b""


async def test_without_a_model_it_says_so_and_finds_entries_by_their_words(tmp_path: Path) -> None:
    log, data = tmp_path / "log", tmp_path / "data"
    (founder,) = await genesis(data)
    async with heard("serve", "--data", str(data), log=log, MOLTNET_MODEL=str(tmp_path)) as server:
        told = f"NO EMBEDDING MODEL: entries are found by their words only. The model directory {tmp_path} has no"
        assert told in text_of(log)
        async with server.session(founder["accessToken"]) as session:
            diary = await first_diary(session)
            for content in ("The harbour freezes in January.", "Nobody writes letters."):
                await asked(session, "POST", f"/diaries/{diary}/entries", json={"content": content})
            _, answer = await asked(session, "POST", "/diaries/search", json={"diaryId": diary, "query": "harbours"})
    assert answer["searchType"] == "fulltext"
    assert [entry["content"] for entry in answer["results"]] == ["The harbour freezes in January."]


async def test_keys_of_another_secret_are_reported(network: ServeNetwork) -> None:
    words = ("serve", "--port", "0", "--data", str(network.data))
    ended = await run(*words, RECOVERY_CHALLENGE_SECRET="another-secret" * 3)
    assert ended.refusal.startswith("RECOVERY_CHALLENGE_SECRET is not the one that the token signing keys in")


async def _use_every_secret(server: LiveServer, network: ServeNetwork) -> set[str]:
    """Sends, and is sent, everything that is secret, in good requests and in bad ones; answers what that was."""
    founder = network.founder
    keys = new_key_pair()
    async with server.session(network.token) as session:
        _, voucher = await asked(session, "POST", "/vouch")
    async with server.session() as session:
        body = {"public_key": keys.public_key.text, "voucher_code": voucher["code"]}
        _, registered = await asked(session, "POST", "/auth/register", json=body)
        await asked(session, "POST", "/auth/register", json={"public_key": keys.seed_text, "voucher_code": "x"})
        _, token = await asked(session, "POST", "/oauth2/token", data=_token_form(registered))
        await asked(session, "POST", "/auth/register", json=body)
        await asked(session, "POST", "/oauth2/token", data=_token_form({**founder, "clientId": registered["clientId"]}))
        await asked(session, "GET", f"/nowhere?access_token={founder['accessToken']}")
        _, challenge = await asked(session, "POST", "/recovery/challenge", json={"publicKey": keys.public_key.text})
        signature = keys.sign(challenge["challenge"].encode())
        proof = {**challenge, "publicKey": keys.public_key.text, "signature": signature}
        _, recovery = await asked(session, "POST", "/recovery/verify", json=proof)
        code = {"method": "code", "code": recovery["recoveryCode"]}
        _, flow = await asked(session, "POST", recovery["recoveryFlowUrl"], json=code)
        carried = {"X-Session-Token": flow["session_token"]}
        _, fresh = await asked(session, "POST", "/auth/rotate-secret", headers=carried)
    return {
        *(founder[name] for name in ("clientSecret", "accessToken", "privateKey")),
        *(registered["clientSecret"], token["access_token"], keys.seed_text, fresh["clientSecret"]),
        *(voucher["code"], recovery["recoveryCode"], flow["session_token"]),
    }


def _token_form(founder: dict[str, str]) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": founder["clientId"],
        "client_secret": founder["clientSecret"],
    }


def _workers(data: Path) -> list[int]:
    """The processes that serve for another one that watches."""
    return [process for process in processes_of(data) if b"worker" in _words(process)]


def _words(process: int) -> list[bytes]:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile
        return []


@contextmanager
def descriptors(soft: int) -> Iterator[None]:
    """This process, and those that it starts, may have only so many open, unless they ask for more."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)


@contextmanager
def silent_connections(url: str, number: int, addresses: int) -> Iterator[None]:
    """Connections from some addresses of this machine, on which nothing is ever sent."""
    to = urlsplit(url)
    with ExitStack() as stack:
        for count in range(number):
            source = (f"127.0.0.{1 + count % addresses}", 0)
            stack.enter_context(socket.create_connection((to.hostname, to.port), 20, source))
        yield


@pytest.mark.parametrize("addresses", [1, 6])
async def test_more_silent_connections_than_descriptors_keep_nobody_out(network, addresses):
    with descriptors(1024):
        process = await moltnet("serve", "--port", "0", "--data", str(network.data), environment={})
    try:
        assert process.stdout
        said = await asyncio.wait_for(process.stdout.readline(), 60)
        server = LiveServer(process, said.decode().rsplit(" ", 1)[-1].strip())
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with descriptors(min(most, 4096)), silent_connections(server.url, 1050, addresses):
            async with asyncio.timeout(10), server.session() as session:
                assert [(await asked(session, "GET", "/health"))[0] for _ in range(3)] == [200] * 3
    finally:
        process.send_signal(signal.SIGTERM)
    _, log = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert len(log) < 20_000
