"""Bodies that come slowly, in part, too large, or where nobody reads them."""

import asyncio
import json
import logging

import pytest

from moltnet.entrypoints.rest.options import BodyLimits, ConnectionLimits, RestOptions
from tests.support.live_server import until
from tests.support.networks import in_memory
from tests.support.raw_http import RawClient, connected, head
from tests.support.worlds import Served, served

JSON = "Content-Type: application/json"
MIB = 1_048_576
QUICK = RestOptions(bodies=BodyLimits(total_s=0.2, grace_s=0.2))
# An hour for all, so that only the rate ends a body; what arrives buys nothing.
RATED = RestOptions(bodies=BodyLimits(total_s=3600, grace_s=0.05, least_rate=10_000))
LEAVING = ConnectionLimits(farewell_s=0.05)


@pytest.mark.parametrize("path", ["/auth/register", "/mcp", "/oauth2/token", "/crypto/verify"])
@pytest.mark.parametrize("options", [QUICK, RATED], ids=["total", "rate"])
async def test_a_body_that_stops_gets_that_answer_and_the_connection_ends(path: str, options: RestOptions) -> None:
    async with served(in_memory(), options=options, connections=LEAVING) as network, connected(network.url) as client:
        await client.send(head("POST", path, JSON, f"Content-Length: {MIB}") + "{" + " " * 500)
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert (answer.json["code"], answer.json["status"]) == ("VALIDATION_FAILED", 408)
        assert await client.ended() == b""


async def test_a_body_that_keeps_coming_has_its_time() -> None:
    body = json.dumps({"public_key": "x" * 20_000}).encode()
    async with (
        served(in_memory(), options=RestOptions(bodies=BodyLimits(grace_s=3600))) as network,
        connected(network.url) as client,
    ):
        await client.send(head("POST", "/auth/register", JSON, f"Content-Length: {len(body)}"))
        for at in range(0, len(body), 1000):
            await client.send(body[at : at + 1000])
            await asyncio.sleep(0)
        assert (await client.answer()).status == 400


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_what_no_route_reads_is_not_read(method: str) -> None:
    async with served(in_memory(), connections=LEAVING) as network, connected(network.url) as client:
        await client.send(head(method, "/nowhere", JSON, "Content-Length: 1000000000"))
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (404, "close")
        assert await client.ended() == b""


async def test_too_large_a_body_gets_that_answer_and_the_connection_ends() -> None:
    async with served(in_memory(), connections=LEAVING) as network:
        for framing in (f"Content-Length: {MIB + 1}", "Transfer-Encoding: chunked"):
            async with connected(network.url) as client:
                await client.send(head("POST", "/auth/register", JSON, framing))
                if framing.endswith("chunked"):
                    await client.send(f"{MIB + 1:x}\r\n".encode() + b" " * (MIB + 1))
                answer = await client.answer()
                assert (answer.status, answer.headers["connection"]) == (413, "close")
                assert await client.ended() == b""


async def test_half_sent_bodies_are_held_only_so_far() -> None:
    limits = BodyLimits(buffered_bytes_per_address=8 * MIB)
    half = b" " * (MIB // 2)
    async with served(in_memory(), options=RestOptions(bodies=limits), connections=LEAVING) as network:
        clients = [await _begun(network, half) for _ in range(40)]
        answers = [asyncio.create_task(client.answer()) for client, _ in clients]
        done, waiting = await asyncio.wait(answers, timeout=2)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert {(each.result().status, each.result().json["code"]) for each in done} == {(429, "RATE_LIMIT_EXCEEDED")}
        assert 40 - 16 <= len(done) < 40
        for _, connection in clients:
            await connection.__aexit__(None, None, None)
        async with connected(network.url) as client:  # those that went away gave their memory back
            await client.send(head("POST", "/auth/register", JSON, "Content-Length: 2", "Connection: close"))
            await asyncio.sleep(0)
            await client.send("{}")
            assert (await client.answer()).status == 400


async def _begun(network: Served, half: bytes):
    connection = connected(network.url)
    client: RawClient = await connection.__aenter__()
    await client.send(head("POST", "/auth/register", JSON, f"Content-Length: {MIB}"))
    await client.send(half)
    return client, connection


@pytest.mark.parametrize("path", ["/auth/register", "/mcp", "/oauth2/token", "/crypto/verify"])
@pytest.mark.parametrize(
    ("framing", "begun"), [("Content-Length: 1000", "{"), ("Transfer-Encoding: chunked", "3e8\r\n{")]
)
async def test_a_client_that_leaves_in_its_body_is_one_line_in_the_log(
    path: str, framing: str, begun: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with served(in_memory()) as network:
        async with connected(network.url) as client:
            await client.send(head("POST", path, JSON, framing) + begun)
            await _until_begun(network)
        (record,) = await _logged(caplog)
    line = json.loads(record.getMessage())
    assert (record.levelname, line["status"], line["route"]) == ("INFO", 0, path)


async def test_a_client_that_leaves_before_its_stream_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with served(in_memory()) as network:
        for _ in range(20):
            async with connected(network.url) as client:
                await client.send(head("GET", "/public/feed/stream") + head("GET", "/public/feed/stream"))
            await asyncio.sleep(0)
        await _until_begun(network)
    assert [record.levelname for record in caplog.records if record.levelname != "INFO"] == []


async def _until_begun(network: Served) -> None:
    # Another client's whole exchange: what was sent before it has been taken up by then.
    async with connected(network.url) as other:
        await other.send(head("GET", "/problems"))
        await other.answer()


async def _logged(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """The lines of all but the other client, once the one of the request that was broken off is there."""
    await until(lambda: any('"status":0' in record.getMessage() for record in caplog.records))
    return [record for record in caplog.records if "/problems" not in record.getMessage()]
