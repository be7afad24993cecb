"""`moltnet serve` as a process: what it says, how it stops, and what it needs to start."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import attrs
import pytest

from moltnet.entrypoints.container import new_key_pair
from tests.support.commands import accepts, heard, text_of
from tests.support.live_server import LiveServer, asked, first_diary, genesis, moltnet, processes_of, until

pytestmark = pytest.mark.real

SIGNALS = (signal.SIGTERM, signal.SIGINT)
SECRETS = {"RECOVERY_CHALLENGE_SECRET": "r" * 32, "ORY_ACTION_API_KEY": "k" * 32}


@attrs.frozen
class HalfSent:
    """A request whose second half is still to come."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    rest: bytes

    @classmethod
    async def to(cls, server: LiveServer, path: str, form: dict[str, str]) -> "HalfSent":
        body = urlencode(form).encode()
        address = urlsplit(server.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        )
        writer.write(head.encode() + body[:10])
        # By this the server says that it has begun to handle the request.
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        return cls(reader, writer, body[10:])

    async def finished(self) -> bytes:
        """The whole answer, once the rest has been sent."""
        self.writer.write(self.rest)
        try:
            return await self.reader.read()
        finally:
            self.writer.close()


@pytest.mark.parametrize("number", SIGNALS)
async def test_signal_ends_it_when_what_has_begun_is_answered(tmp_path: Path, number: signal.Signals) -> None:
    log, data = tmp_path / "log", tmp_path / "data"
    (founder,) = await genesis(data)
    async with heard("serve", "--data", str(data), log=log) as server:
        port = urlsplit(server.url).port
        assert port
        request = await HalfSent.to(server, "/oauth2/token", _token_form(founder))
        server.process.send_signal(number)
        await until(lambda: not accepts(port))
        assert server.process.returncode is None
        answer = await request.finished()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b'"access_token":"' in answer
        assert await server.process.wait() == 0
        assert server.process.stdout
        assert await server.process.stdout.read() == b""  # the line that it is ready was all
    assert "Traceback" not in text_of(log)


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
@pytest.mark.parametrize("number", SIGNALS)
async def test_signal_at_its_start_ends_it_as_well(
    tmp_path: Path, number: signal.Signals, options: tuple[str, ...]
) -> None:
    """Here the start takes long: the database takes the connection and never says a word."""
    arguments = ("serve", "--port", "0", "--data", str(tmp_path / "data"), *options)
    async with _silent_database() as (url, connected):
        process = await moltnet(*arguments, environment={"DATABASE_URL": url, **SECRETS})
        await connected.wait()
        process.send_signal(number)
        assert await process.communicate() == (b"", b"")
    assert process.returncode == 0


async def test_interrupted_command_ends_without_a_traceback(tmp_path: Path) -> None:
    async with _silent_database() as (url, connected):
        process = await moltnet("genesis", "--data", str(tmp_path), environment={"DATABASE_URL": url, **SECRETS})
        await connected.wait()
        process.send_signal(signal.SIGINT)
        assert await process.communicate() == (b"", b"")
    assert process.returncode == 130


async def test_server_whose_output_nobody_reads_serves_all_the_same(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    process = await moltnet("serve", "--data", str(tmp_path / "data"), environment={"PORT": str(port)})
    assert process.stdout
    process.stdout._transport.close()  # type: ignore[attr-defined]
    await until(lambda: accepts(port))
    process.terminate()
    assert process.stderr
    assert await process.stderr.read() == b""
    assert await process.wait() == 0


async def test_log_has_a_line_for_each_request_and_no_secret(tmp_path: Path) -> None:
    log, data = tmp_path / "log", tmp_path / "data"
    (founder,) = await genesis(data)
    async with heard("serve", "--data", str(data), log=log) as server:
        secrets = await _use_every_secret(server, founder)
    text = text_of(log)
    lines = [json.loads(line.partition(" moltnet.rest.access ")[2]) for line in text.splitlines() if "access" in line]
    assert {"/oauth2/token", "/auth/register", "/recovery/verify"} <= {line.get("route") for line in lines}
    assert {200, 201, 400, 401, 403, 404} <= {line["status"] for line in lines}
    secrets |= {text_of(data / name.lower()) for name in SECRETS}
    assert len(secrets) >= 9
    assert not [secret for secret in secrets if secret in text]


async def test_worker_that_is_killed_is_replaced_and_nobody_notices(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (founder,) = await genesis(data)
    async with heard("serve", "--data", str(data), "--workers", "2", log=tmp_path / "log") as server:
        before = _workers(data)
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        async with server.session(founder["accessToken"]) as session:
            await until(lambda: before[0] not in _workers(data))
            for _ in range(20):
                assert (await asked(session, "GET", "/agents/whoami"))[0] == 200
        await until(lambda: len(_workers(data)) == 2 and before[0] not in _workers(data))
        assert await server.stop() == 0
        assert server.process.stdout
        assert await server.process.stdout.read() == b""


async def test_without_a_model_it_says_so_and_finds_entries_by_their_words(tmp_path: Path) -> None:
    data, log, empty = tmp_path / "data", tmp_path / "log", tmp_path
    (founder,) = await genesis(data)
    async with heard("serve", "--data", str(data), log=log, MOLTNET_MODEL=str(empty)) as server:
        assert f"NO EMBEDDING MODEL: entries are found by their words only. The model directory {empty}" in text_of(log)
        async with server.session(founder["accessToken"]) as session:
            diary = await first_diary(session)
            for content in ("The harbour freezes in January.", "Nobody writes letters."):
                await asked(session, "POST", f"/diaries/{diary}/entries", json={"content": content})
            _, answer = await asked(session, "POST", "/diaries/search", json={"diaryId": diary, "query": "harbours"})
    assert answer["searchType"] == "fulltext"
    assert [entry["content"] for entry in answer["results"]] == ["The harbour freezes in January."]


@asynccontextmanager
async def _silent_database() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of something that takes connections and never answers, and whether it has taken one."""
    connected = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        connected.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql://nobody@127.0.0.1:{port}/nothing?sslmode=disable", connected


async def _use_every_secret(server: LiveServer, founder: dict[str, str]) -> set[str]:
    """Sends, and is sent, everything that is secret, in good requests and in bad ones; answers what that was."""
    keys = new_key_pair()
    async with server.session(founder["accessToken"]) as session:
        _, voucher = await asked(session, "POST", "/vouch")
        body = {"public_key": keys.public_key.text, "voucher_code": voucher["code"]}
        _, registered = await asked(session, "POST", "/auth/register", json=body)
        await asked(session, "POST", "/auth/register", json=body)
        await asked(session, "POST", "/auth/register", json={"public_key": keys.seed_text, "voucher_code": "x"})
        _, token = await asked(session, "POST", "/oauth2/token", data=_token_form(registered))
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
    found = []
    for process in processes_of(data):
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        if b"worker" in words:
            found.append(process)
    return found
