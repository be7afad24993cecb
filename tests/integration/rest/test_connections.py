"""More connections than there may be, silent ones, slow ones: who has something to ask is answered all the same."""

import asyncio
import errno
import logging
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from moltnet.entrypoints.rest.connections import OpenConnections
from moltnet.entrypoints.rest.listening import REST_S
from moltnet.entrypoints.rest.options import ConnectionLimits, RestOptions
from tests.support.commands import accepts
from tests.support.live_server import until
from tests.support.networks import in_memory
from tests.support.raw_http import RawClient, connected, head
from tests.support.worlds import Served, served

LIMITS = ConnectionLimits(total=20, per_address=10)


async def asks(client: RawClient) -> int:
    await client.send(head("GET", "/health"))
    return (await client.answer()).status


async def is_answered(network: Served) -> bool:
    async with connected(network.url) as client:
        return await asks(client) == 200


async def test_silent_connections_keep_nobody_out() -> None:
    async with served(in_memory(), connections=LIMITS) as network, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(connected(network.url)) for _ in range(50)]
        assert [await is_answered(network) for _ in range(5)] == [True] * 5
        assert await silent[0].ended() == b""  # the longest idle ones made room


async def test_request_under_way_at_the_end_is_answered_and_ends_its_connection() -> None:
    patient = ConnectionLimits(total=20, per_address=10, leave_s=60)
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(served(in_memory(), connections=patient))
        async with connected(network.url) as client:
            assert await asks(client) == 200
            ending = asyncio.create_task(stack.aclose())
            await until(lambda: not accepts(urlsplit(network.url).port or 0))
            await client.send(head("GET", "/health"))
            answer = await client.answer()
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert await client.ended() == b""
        await ending  # nobody is waited for any more


async def test_what_is_asked_is_not_ended_for_others() -> None:
    async with served(in_memory(), connections=LIMITS) as network, AsyncExitStack() as stack:
        asking = await stack.enter_async_context(connected(network.url))
        await asking.send(head("POST", "/auth/register", "Content-Type: application/json", "Content-Length: 2"))
        assert await is_answered(network)  # by now the other's head was read
        for _ in range(50):
            await stack.enter_async_context(connected(network.url))
        assert await is_answered(network)
        await asking.send("{}")
        assert (await asking.answer()).status == 400


async def test_where_all_are_busy_the_next_is_refused_and_has_room_later(caplog: pytest.LogCaptureFixture) -> None:
    async with served(in_memory(), connections=ConnectionLimits(per_address=3)) as network, AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(connected(network.url)) for _ in range(3)]
        for each in busy:
            await each.send(head("GET", "/public/feed/stream"))
            await each.reader.readuntil(b"retry: 5000\n\n")
        async with connected(network.url) as refused:
            assert await refused.ended() == b""
        assert "connections are refused" in caplog.text
        busy[0].writer.write_eof()
        await busy[0].ended()
        async with connected(network.url) as admitted:
            assert await asks(admitted) == 200


@pytest.mark.parametrize("begun", ["", "GET /health HTTP/1.1\r\nHo"])
async def test_a_head_that_does_not_come_ends_its_connection(begun: str) -> None:
    async with (
        served(in_memory(), connections=ConnectionLimits(head_s=0.1)) as network,
        connected(network.url) as first,
        connected(network.url) as later,
    ):
        await first.send(begun)
        assert await first.ended() == b""
        await later.send(head("GET", "/health"))


async def test_the_head_of_a_second_request_has_its_time_too() -> None:
    async with (
        served(in_memory(), connections=ConnectionLimits(head_s=0.2)) as network,
        connected(network.url) as client,
    ):
        assert await asks(client) == 200
        await client.send("GET /health HTTP/1.1\r\nHo")
        assert await client.ended() == b""


async def test_a_request_may_take_longer_than_its_head() -> None:
    limits = ConnectionLimits(head_s=0.1)
    async with served(in_memory(), connections=limits) as network, connected(network.url) as client:
        await client.send(head("POST", "/auth/register", "Content-Type: application/json", "Content-Length: 2"))
        await asyncio.sleep(0.2)  # nothing tells that a timer did not fire
        await client.send("{}")
        assert (await client.answer()).status == 400


async def test_an_answer_nobody_reads_ends_its_connection() -> None:
    limits = ConnectionLimits(answer_s=0.2)
    async with served(in_memory(), connections=limits) as network, connected(network.url) as client:
        client.writer.transport.pause_reading()
        with pytest.raises(ConnectionError):
            await _ask_for_ever(client)
        assert await is_answered(network)


async def _ask_for_ever(client: RawClient) -> None:
    while True:
        await client.send(head("GET", "/openapi.json") * 20)


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """As if other things had taken them all: a limit below what is open."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 3, limits[1]))
    taken: list[int] = []
    try:
        with suppress(OSError):
            taken.extend(os.dup(0) for _ in range(limits[0]))
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_without_descriptors_nothing_spins_and_serving_resumes(caplog: pytest.LogCaptureFixture) -> None:
    async with served(in_memory()) as network:
        address = urlsplit(network.url)
        with socket.socket() as waiting:
            with no_descriptor_left():
                waiting.connect((address.hostname, address.port))  # the system does; the server cannot yet
                await until(lambda: bool(_warnings(caplog)))
                await asyncio.sleep(3.5 * REST_S)
                told = _warnings(caplog)
                assert len(told) <= 4  # it rests in between
            assert all(record.exc_info is None for record in told)
            assert os.strerror(errno.EMFILE) in told[0].getMessage()
            reader, writer = await asyncio.open_connection(sock=waiting)
            assert await asks(RawClient(reader, writer)) == 200
            writer.transport.abort()
            await asyncio.sleep(0)


def _warnings(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("limits", "addresses", "admitted"),
    [
        (ConnectionLimits(total=100, per_address=2), ["192.0.2.1"] * 3, [True, True, False]),
        (ConnectionLimits(total=2, per_address=9), ["192.0.2.1", "192.0.2.2", "192.0.2.3"], [True, True, False]),
        (ConnectionLimits(total=100, per_address=1), ["2001:db8::1", "2001:db8::2"], [True, False]),
        (ConnectionLimits(total=100, per_address=1), ["2001:db8::1", "2001:db8:0:1::1"], [True, True]),
        (ConnectionLimits(total=100, per_address=1), ["10.0.0.1"] * 3, [True, True, True]),
        (ConnectionLimits(total=2, per_address=1), ["10.0.0.1"] * 3, [True, True, False]),
    ],
    ids=["address", "total", "subscriber", "two subscribers", "proxy", "proxy and total"],
)
def test_connections_are_counted_by_address_and_in_all(limits, addresses, admitted) -> None:
    connections = OpenConnections(limits, RestOptions(trusted_proxies=(ip_network("10.0.0.0/8"),)).trusted_proxies)
    told = []
    for address in addresses:
        told.append(connections.admits(address))
        if told[-1]:
            connections.add(Still(), address)
    assert told == admitted


class Still:
    """A connection that is asked nothing here."""

    def force_close(self) -> None:
        raise AssertionError
