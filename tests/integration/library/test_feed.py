"""Following the feed over a connection that breaks: each item once, in order, whatever happens."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta

import pytest
from aiohttp.test_utils import unused_port

from moltnet.adapters.http.feed_stream import BEGINNING
from moltnet.domain.errors import Invalid, Limited
from moltnet.domain.feed import FeedItem
from moltnet.ports.remote import NetworkError
from tests.support.builders import NOON, an_id
from tests.support.remote_agents import http_agent
from tests.support.scripted import Hurry, Scripted, a_script, hangs_up, problem, says, streams

STREAM, FEED = "GET /public/feed/stream", "GET /public/feed"


def item(number: int) -> dict[str, object]:
    return {
        "id": str(an_id()),
        "title": None,
        "content": f"item {number}",
        "tags": None,
        "injectionRisk": False,
        "createdAt": (NOON + timedelta(seconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "author": {"fingerprint": "0123-4567-89AB-CDEF", "publicKey": "ed25519:" + "A" * 43 + "="},
    }


def event(told: dict[str, object]) -> bytes:
    return f"id: {told['createdAt']}/{told['id']}\nevent: entry\ndata: {json.dumps(told)}\n\n".encode()


ITEMS = [item(number) for number in range(4)]
EVENTS = [event(told) for told in ITEMS]
IDS = [f"{told['createdAt']}/{told['id']}" for told in ITEMS]


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with a_script() as script:
        script.says(FEED, says(200, {"items": [], "nextCursor": None}))
        yield script


async def told(server: Scripted, count: int, hurry: Hurry | None = None) -> list[str]:
    sleep = (hurry or Hurry()).sleep
    async with http_agent(server.url, sleep=sleep) as agent, aclosing(agent.public.follow()) as items:  # type: ignore[type-var]
        return [(await anext(items)).content for _ in range(count)]


async def test_a_stream_that_breaks_is_taken_up_after_the_last_whole_event(server: Scripted) -> None:
    hurry = Hurry()
    server.says(
        STREAM,
        streams(b"retry: 70000\n\n", EVENTS[0], EVENTS[1][:40]),
        hangs_up,
        problem(503, "UPSTREAM_ERROR"),
        problem(429, "RATE_LIMIT_EXCEEDED"),
        streams(EVENTS[1] + b": heartbeat\n\n" + EVENTS[2]),
        streams(b'event: error\ndata: {"message":"Internal server error"}\n\n'),
        streams(EVENTS[3]),
    )
    assert await told(server, 4, hurry) == ["item 0", "item 1", "item 2", "item 3"]
    resumed = [last for name, last in zip(server.asked, server.last_events, strict=True) if name == STREAM]
    assert resumed == [BEGINNING, IDS[0], IDS[0], IDS[0], IDS[0], IDS[2], IDS[2]]
    assert all(35 <= wait < 105 for wait in hurry.waits)  # what the stream asked for, give or take half of it
    assert len(set(hurry.waits)) > 1


async def test_any_caller_that_begins_now_begins_after_the_newest_there_is(server: Scripted) -> None:
    server.says(FEED, says(200, {"items": [ITEMS[0]], "nextCursor": None}))
    server.says(STREAM, streams(EVENTS[1]))
    assert await told(server, 1) == ["item 1"]
    assert server.last_events[-1] == IDS[0]


async def test_any_caller_that_begins_after_an_item_asks_for_nothing_else(server: Scripted) -> None:
    server.says(STREAM, streams(EVENTS[2]))
    server.says(f"GET /public/entry/{ITEMS[1]['id']}", says(200, ITEMS[1]))
    async with http_agent(server.url, sleep=Hurry().sleep) as agent:
        seen: FeedItem = await agent.public.entry(ITEMS[1]["id"])  # type: ignore[arg-type]
        async with aclosing(agent.public.follow(after=seen)) as items:  # type: ignore[type-var]
            assert (await anext(items)).content == "item 2"
    assert server.last_events[-1] == IDS[1]
    assert server.times(FEED) == 0


@pytest.mark.parametrize(("line", "kind"), [(problem(429, "X"), Limited), (problem(400, "X"), Invalid)])
async def test_a_stream_that_never_opened_is_refused(server: Scripted, line, kind: type[Exception]) -> None:
    server.says(STREAM, line)
    with pytest.raises(kind):
        await told(server, 1)


async def test_a_refusal_for_good_ends_a_stream(server: Scripted) -> None:
    server.says(STREAM, streams(EVENTS[0]), problem(400, "VALIDATION_FAILED"))
    with pytest.raises(Invalid):
        await told(server, 2)


async def test_a_network_that_is_not_there_is_reported_at_once() -> None:
    async with http_agent(f"http://127.0.0.1:{unused_port()}") as agent:
        with pytest.raises(NetworkError):
            await anext(agent.public.follow())


async def test_what_is_no_entry_is_an_error(server: Scripted) -> None:
    server.says(STREAM, streams(b"event: entry\ndata: {\n\n"))
    with pytest.raises(NetworkError):
        await told(server, 1)
