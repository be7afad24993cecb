"""Compressed request bodies: refused everywhere, and never unpacked."""

import asyncio
import time
import zlib

import pytest

from tests.support.networks import in_memory
from tests.support.raw_http import RawAnswer, connected, head
from tests.support.worlds import Served, served

UNPACKED_BYTES = 200 * 1_048_576
# Unpacking all of it takes several times as much on any machine.
CPU_S = 0.1
TARGETS = (
    ("POST", "/diaries/search"),
    ("POST", "/auth/register"),
    ("GET", "/health"),
    ("POST", "/mcp"),
    ("DELETE", "/mcp"),
    ("POST", "/nowhere"),
    ("OPTIONS", "/diaries"),
    ("POST", "/%"),
)


def bomb() -> bytes:
    """A small body that becomes a large one."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = b"a" * 1_048_576
    pressed = [press.compress(piece) for _ in range(UNPACKED_BYTES // len(piece))]
    return b"".join([*pressed, press.flush()])


async def sent(network: Served, method: str, path: str, coding: str, body: bytes) -> tuple[RawAnswer, bytes]:
    async with connected(network.url) as client:
        fields = ("Content-Type: application/json", f"Content-Encoding: {coding}", f"Content-Length: {len(body)}")
        await client.send(head(method, path, *fields))
        await client.send(body)
        return await client.answer(), await client.ended()


async def health(network: Served) -> int:
    async with connected(network.url) as client:
        await client.send(head("GET", "/health"))
        return (await client.answer()).status


async def test_a_small_body_that_would_become_a_large_one_costs_nobody_anything() -> None:
    body = bomb()
    async with served(in_memory()) as network:
        began = time.thread_time()
        bombs = [asyncio.create_task(sent(network, method, path, "gzip", body)) for method, path in TARGETS]
        assert [await health(network) for _ in range(20)] == [200] * 20
        answers = [await each for each in bombs]
        used_s = time.thread_time() - began
    for (method, path), (answer, rest) in zip(TARGETS, answers, strict=True):
        assert (answer.status, rest) == (400 if path == "/%" else 415, b""), (method, path)
        assert answer.headers["connection"] == "close"
    assert used_s < CPU_S * len(TARGETS)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "zstd", "x-none", "identity, gzip"])
async def test_an_encoded_body_is_an_unsupported_media_type_and_the_connection_ends(coding: str) -> None:
    async with served(in_memory()) as network:
        answer, rest = await sent(network, "POST", "/auth/register", coding, b"{}")
    assert (answer.status, answer.json["detail"]) == (415, "Request bodies must not have a Content-Encoding")
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert (answer.headers["accept-encoding"], answer.headers["connection"], rest) == ("identity", "close", b"")


async def test_a_body_that_says_it_is_not_encoded_is_read() -> None:
    async with served(in_memory()) as network, connected(network.url) as client:
        fields = ("Content-Type: application/json", "Content-Encoding: identity", "Content-Length: 2")
        await client.send(head("POST", "/auth/register", *fields) + "{}")
        answer = await client.answer()
    assert (answer.status, "connection" in answer.headers) == (400, False)
    assert answer.json["detail"] == "body must have required property 'public_key'"
