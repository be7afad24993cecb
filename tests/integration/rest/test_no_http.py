"""What is no HTTP, or more of it than is read: a problem document all the same, and nothing of it in the log."""

import asyncio
import json
import logging
from urllib.parse import urlsplit

import pytest

from moltnet.entrypoints.rest.headers import SECURITY_HEADERS
from tests.support.networks import in_memory
from tests.support.worlds import Served, served

SECRET = "moltnet-secret-"
LONG = SECRET * 1000
MALFORMED = (
    "nonsense\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9.9\r\nHost: x\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\n{SECRET}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nX: {SECRET}\0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    f"\x16\x03\x01{SECRET}\r\n\r\n",
)
TOO_LONG = (
    f"GET /{LONG} HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {LONG}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\n{LONG}: x\r\n\r\n",
)


async def said(network: Served, text: str) -> tuple[int, dict[str, str], bytes]:
    """The answer to some bytes: status, headers and body, to the end of the connection."""
    address = urlsplit(network.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(text.encode("latin-1"))
    head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split(" ")[1]), dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize(
    ("text", "status"), [*((text, 400) for text in MALFORMED), *((text, 431) for text in TOO_LONG)]
)
async def test_what_cannot_be_read_is_reported_as_a_problem(
    text: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(in_memory()) as network:
        told, headers, body = await said(network, text)
    problem = json.loads(body)
    assert (told, problem["status"], problem["code"]) == (status, status, "VALIDATION_FAILED")
    assert headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert SECURITY_HEADERS.items() <= headers.items()
    assert "aiohttp" not in str(headers)
    assert SECRET not in body.decode() + str(headers) + caplog.text
    assert "Traceback" not in caplog.text
    (record,) = [record for record in caplog.records if record.name == "moltnet.rest.access"]
    line = json.loads(record.getMessage())
    assert (line["id"], line["status"]) == (headers["X-Request-ID"], status)


async def test_a_connection_that_said_nonsense_is_over_and_others_go_on() -> None:
    async with served(in_memory()) as network:
        _, _, body = await said(network, MALFORMED[0] + "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP/1" not in body  # no second answer
        status, _, _ = await said(network, "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert status == 200


async def test_what_a_terminal_would_obey_is_escaped_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    hostile = "/\x1b[2J\x9b2J\u202e\u2028"
    async with served(in_memory()) as network:
        path = "".join(f"%{byte:02X}" for byte in hostile[1:].encode())
        await said(network, f"GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await said(network, "GET /\xc2\x9b2J HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    lines = [record.getMessage() for record in caplog.records if record.name == "moltnet.rest.access"]
    assert lines
    assert all(line.isprintable() for line in lines)
    assert hostile in [json.loads(line).get("path") for line in lines]
