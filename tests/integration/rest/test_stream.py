"""The live feed (docs/reference/feed.md, "Live stream"): what is sent, from where, and how a stream ends."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack, suppress

import aiohttp
import attrs
import pytest
from aiohttp.test_utils import TestServer

from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.services import Services
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.headers import SECURITY_HEADERS
from moltnet.entrypoints.rest.options import RestOptions, StreamLimits
from moltnet.entrypoints.rest.stream import STREAMS
from tests.integration.rest.members import ask
from tests.integration.rest.test_feed import INJECTION
from tests.support.live_server import until
from tests.support.sse import STREAM, listening


@attrs.frozen
class Door:
    """A server of its own over the network of the test."""

    server: TestServer
    session: aiohttp.ClientSession

    @property
    def open_streams(self):
        return len(self.server.app[STREAMS]._open)


@pytest.fixture
async def door(network):
    """Opens servers with stream limits of the test's choice."""
    async with AsyncExitStack() as stack:

        async def start(services: Services = network.services, **limits) -> Door:
            server = TestServer(create_app(services, RestOptions(streams=StreamLimits(**limits))))
            await stack.enter_async_context(server)
            session = await stack.enter_async_context(aiohttp.ClientSession(server.make_url("/")))
            return Door(server, session)

        yield start


@pytest.fixture
async def public(ada):
    return await ada.diary(visibility="public")


# What is sent


async def test_stream_has_its_headers_and_none_of_origins(network):
    async with network.http.get(STREAM, headers={"Origin": "https://themolt.net"}) as answer:
        headers = answer.headers
        assert headers["Content-Type"] == "text/event-stream"
        assert headers["Cache-Control"] == "no-cache, no-transform"
        assert headers["Connection"] == "keep-alive"
        assert headers["X-Accel-Buffering"] == "no"
        assert {name: headers[name] for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)
        assert not [name for name in headers if name.lower().startswith(("access-control", "x-ratelimit", "vary"))]
        assert await answer.content.readuntil(b"\n\n") == b"retry: 5000\n\n"


async def test_head_answers_the_head_alone(network):
    async with network.http.head(STREAM) as head, network.http.get(STREAM) as got:
        assert (head.status, await head.read()) == (200, b"")
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
        assert head.headers["Cache-Control"] == got.headers["Cache-Control"]
        assert "Content-Length" not in head.headers
    async with network.http.head(f"{STREAM}?tag={'x' * 51}") as head:
        assert head.status == 400


async def test_event_is_an_entry_on_one_line(network, ada, public):
    async with listening(network.http) as source:
        entry = await ada.entry(public, "two\nlines\r\nand a \u2028 third", title="🦞", tags=["t"])
        assert await source.block() == "retry: 5000"
        identifier, event, data = (await source.block()).split("\n")
    assert identifier == f"id: {entry['createdAt']}/{entry['id']}"
    assert event == "event: entry"
    item = (await ask(network.http, "GET", f"/public/entry/{entry['id']}")).json
    assert json.loads(data.removeprefix("data: ")) == item


async def test_each_entry_is_sent_once_in_order_to_everyone(network, ada, bob, public):
    async with listening(network.http) as one, listening(network.http) as another:
        others = await bob.diary(visibility="public")
        private = await bob.diary()
        for number in range(10):
            await bob.entry(private, "unseen")
            await (ada.entry(public, f"{number}") if number % 2 else bob.entry(others, f"{number}"))
        expected = [f"{number}" for number in range(10)]
        assert await one.contents(10) == expected
        assert await another.contents(10) == expected
        await ada.entry(public, "the next")
        assert await one.contents(1) == await another.contents(1) == ["the next"]


async def test_stream_carries_one_tag_and_flagged_entries_on_demand(network, ada, public):
    async with (
        listening(network.http, "?tag=sea") as tagged,
        listening(network.http) as plain,
        listening(network.http, "?includeFlagged=true") as all_of_it,
    ):
        await ada.entry(public, INJECTION, tags=["sea"])
        await ada.entry(public, "no tag")
        await ada.entry(public, "a tag", tags=["land", "sea"])
        assert await tagged.contents(1) == ["a tag"]
        assert await plain.contents(2) == ["no tag", "a tag"]
        assert await all_of_it.contents(3) == [INJECTION, "no tag", "a tag"]


async def test_tag_out_of_form_is_refused_with_its_error(network):
    refused = await ask(network.http, "GET", f"{STREAM}?tag={'x' * 51}")
    assert refused.told == (400, "VALIDATION_FAILED", "querystring/tag must NOT have more than 50 characters")
    assert refused.json["errors"]


# From where


async def test_reader_goes_on_after_the_event_it_names(network, ada, public):
    async with listening(network.http) as source:
        for number in range(3):
            await ada.entry(public, f"{number}")
        seen = await source.next()
    await ada.entry(public, "3")
    for after in (seen.id, seen.id.upper(), f"2020-01-01T00:00:00Z/{seen.data['id']}"):
        async with listening(network.http, after=after) as source:
            assert await source.contents(3) == ["1", "2", "3"]


async def test_reader_whose_last_entry_is_gone_goes_on_by_its_date(network, ada, public):
    entries = [await ada.entry(public, f"{number}") for number in range(3)]
    await ada.ask("DELETE", f"/diaries/{public}/entries/{entries[1]['id']}")
    async with listening(network.http, after=f"{entries[1]['createdAt']}/{entries[1]['id']}") as source:
        assert (await source.contents(1))[-1] == "2"


@pytest.mark.parametrize("after", ["", "x", "2026-01-01T00:00:00.000Z", "soon/x", "/", "\x80", "9" * 5000])
async def test_what_is_no_id_is_ignored(network, ada, public, after):
    await ada.entry(public, "before")
    async with listening(network.http, after=after) as source:
        await ada.entry(public, "after")
        assert await source.contents(1) == ["after"]


async def test_long_way_back_is_sent_to_its_end(network, ada, public):
    for number in range(120):
        await ada.entry(public, f"{number}")
    first = (await ask(network.http, "GET", "/public/feed?limit=100")).json
    last_page = (await ask(network.http, "GET", f"/public/feed?cursor={first['nextCursor']}")).json
    oldest = last_page["items"][-1]
    async with listening(network.http, after=f"{oldest['createdAt']}/{oldest['id']}") as source:
        assert await source.contents(119) == [f"{number}" for number in range(1, 120)]


# Limits and ends


async def test_sixth_stream_of_an_address_is_refused_until_one_ends(network):
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(listening(network.http))
        async with listening(network.http):
            refused = await ask(network.http, "GET", STREAM)
            assert refused.told == (429, "RATE_LIMIT_EXCEEDED", "Too many SSE connections")
            assert "Retry-After" not in refused.headers
        while await status_of_one_more(network.http) != 200:
            pass


async def status_of_one_more(session):
    async with session.get(STREAM) as answer:
        return answer.status


async def test_silent_stream_beats(door):
    opened = await door(heartbeat_s=0.01)
    async with listening(opened.session) as source:
        assert [await source.block() for _ in range(3)] == ["retry: 5000", ": heartbeat", ": heartbeat"]


async def test_beating_loses_no_entry(door, ada, public):
    opened = await door(heartbeat_s=0.0005)
    async with listening(opened.session) as source:
        for number in range(50):
            await ada.entry(public, f"{number}")
        assert await source.contents(50) == [f"{number}" for number in range(50)]


async def test_stream_ends_with_its_time(door):
    opened = await door(lifetime_s=0.05)
    async with listening(opened.session) as source:
        assert await source.answer.content.read() == b"retry: 5000\n\n"
    assert opened.open_streams == 0


async def test_reader_that_goes_leaves_nothing(door):
    opened = await door(heartbeat_s=0.01)
    async with listening(opened.session):
        assert opened.open_streams == 1
    await until(lambda: opened.open_streams == 0)


async def test_closing_the_server_ends_every_stream_at_once(door):
    opened = await door()
    async with listening(opened.session) as source:
        closing = asyncio.create_task(opened.server.close())
        assert await source.answer.content.read() == b"retry: 5000\n\n"
        await closing


async def test_slow_reader_is_cut(door, ada, public):
    opened = await door(send_timeout_s=0.05)
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.settimeout(0)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(reader, (opened.server.host, opened.server.port))
        await loop.sock_sendall(reader, f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await until(lambda: opened.open_streams == 1)
        for _ in range(500):
            await ada.entry(public, "🦞" * 10_000)
            if not opened.open_streams:
                break
        assert opened.open_streams == 0
        with suppress(ConnectionResetError):  # what is on its way comes, and then the end
            while await loop.sock_recv(reader, 1 << 20):
                pass


async def test_failure_is_reported_and_ends_the_stream(door, network):
    class Broken:
        async def follow(self, *_):
            return self

        async def __anext__(self):
            raise StorageUnavailable

    opened = await door(attrs.evolve(network.services, feed=Broken()))
    async with listening(opened.session) as source:
        event = await source.next()
        assert (event.name, event.data) == ("error", {"message": "Internal server error"})
        assert await source.answer.content.read() == b""
