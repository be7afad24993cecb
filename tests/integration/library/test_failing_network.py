"""How an agent of a remote network meets what a network seldom does: by a server that answers by a script."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from aiohttp.test_utils import unused_port

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Invalid, Limited, NotFound, Unauthenticated, Unavailable
from moltnet.domain.ids import ClientId, DiaryId
from moltnet.entrypoints.library.agent import RemoteAgent
from moltnet.ports.remote import AuthenticationError, NetworkError, Problem
from tests.support.builders import an_id
from tests.support.remote_agents import http_agent
from tests.support.scripted import Hurry, Scripted, a_script, hangs_up, problem, says

SECRET = ClientSecret(client_id=ClientId(UUID(int=7)), secret="the-secret-1234")
TOKEN, LIST, CREATE, VOUCH = "POST /oauth2/token", "GET /diaries", "POST /diaries", "POST /vouch"
EMPTY = says(200, {"items": []})
MADE = says(
    201,
    {
        "id": str(an_id()),
        "ownerId": str(an_id()),
        "name": "x",
        "visibility": "private",
        "signed": False,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
    },
)
VOUCHER = says(201, {"code": "c", "expiresAt": "2026-01-01T00:00:00.000Z", "issuedBy": "0123-4567-89AB-CDEF"})


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with a_script() as script:
        yield script


@pytest.fixture
def hurry() -> Hurry:
    return Hurry()


@pytest.fixture
async def agent(server: Scripted, hurry: Hurry) -> AsyncIterator[RemoteAgent]:
    async with http_agent(server.url + "/", SECRET, sleep=hurry.sleep, now=hurry.now) as agent:
        yield agent


async def test_one_token_serves_all_until_shortly_before_its_end(
    server: Scripted, agent: RemoteAgent, hurry: Hurry
) -> None:
    server.says(LIST, EMPTY)
    await asyncio.gather(*(agent.diaries.list() for _ in range(20)))
    assert server.times(TOKEN) == 1
    hurry.time = 3600 - 30 - 1
    await agent.diaries.list()
    assert server.times(TOKEN) == 1
    hurry.time += 1
    await asyncio.gather(*(agent.diaries.list() for _ in range(20)))
    assert server.times(TOKEN) == 2
    assert set(server.tokens[-20:]) == {"Bearer token 2"}


@pytest.mark.parametrize("lifetime", [30, 0, None, "x", True])
async def test_a_token_that_ends_at_once_is_never_used_again(
    server: Scripted, agent: RemoteAgent, lifetime: object
) -> None:
    server.says(TOKEN, says(200, {"access_token": "t", "expires_in": lifetime}))
    server.says(LIST, EMPTY)
    await agent.diaries.list()
    await agent.diaries.list()
    assert server.times(TOKEN) == 2


async def test_a_refused_token_is_renewed_once_for_all_and_each_request_repeated(
    server: Scripted, agent: RemoteAgent
) -> None:
    server.says(LIST, *[problem(401, "UNAUTHORIZED")] * 5, EMPTY)
    assert await asyncio.gather(*(agent.diaries.list() for _ in range(5))) == [[]] * 5
    assert (server.times(TOKEN), server.times(LIST)) == (2, 10)


async def test_a_second_refusal_is_final(server: Scripted, agent: RemoteAgent) -> None:
    server.says(LIST, problem(401, "UNAUTHORIZED", "no"))
    with pytest.raises(Unauthenticated, match="no"):
        await agent.diaries.list()
    assert (server.times(TOKEN), server.times(LIST)) == (2, 2)


async def test_what_was_refused_for_its_token_was_not_done_so_even_a_voucher_is_asked_for_again(
    server: Scripted, agent: RemoteAgent
) -> None:
    server.says(VOUCH, problem(401, "UNAUTHORIZED"), VOUCHER)
    await agent.vouch.issue()
    assert server.times(VOUCH) == 2


@pytest.mark.parametrize("line", [problem(429, "RATE_LIMIT_EXCEEDED"), problem(503, "UPSTREAM_ERROR"), hangs_up])
@pytest.mark.parametrize("key", [None, "key"])
async def test_a_voucher_is_never_asked_for_again(server: Scripted, agent: RemoteAgent, line, key: str | None) -> None:
    server.says(VOUCH, line)
    with pytest.raises((Limited, Unavailable)):
        await agent.vouch.issue(key=key)
    assert server.times(VOUCH) == 1


async def test_who_asks_too_often_waits_as_long_as_the_answer_says(
    server: Scripted, agent: RemoteAgent, hurry: Hurry
) -> None:
    too_many = problem(429, "RATE_LIMIT_EXCEEDED", headers={"Retry-After": "9"})
    server.says(CREATE, too_many, too_many, MADE)
    await agent.diaries.create(name="x")
    assert [9 <= wait < 10 for wait in hurry.waits] == [True, True]
    server.says(CREATE, too_many)
    with pytest.raises(Limited) as refused:
        await agent.diaries.create(name="x")
    assert server.times(CREATE) == 6
    assert isinstance(refused.value, Problem)
    assert refused.value.retry_after_s == 9


async def test_reading_is_repeated_and_writing_only_with_a_key(server: Scripted, agent: RemoteAgent) -> None:
    server.says(LIST, problem(502, "UPSTREAM_ERROR"), hangs_up, EMPTY)
    assert await agent.diaries.list() == []
    server.says(CREATE, hangs_up, MADE)
    with pytest.raises(NetworkError):
        await agent.diaries.create(name="x")
    server.says(CREATE, hangs_up, hangs_up, MADE)
    await agent.diaries.create(name="x", key="k")
    server.says(CREATE, problem(503, "UPSTREAM_ERROR"))
    with pytest.raises(Unavailable):
        await agent.diaries.create(name="x", key="k")
    assert server.times(CREATE) == 1 + 3 + 1


async def test_a_wrong_secret_is_reported_without_it(server: Scripted, agent: RemoteAgent) -> None:
    server.says(TOKEN, says(401, {"error": "invalid_client", "error_description": "Unknown client or wrong secret"}))
    with pytest.raises(AuthenticationError) as refused:
        await agent.diaries.list()
    assert (refused.value.code, refused.value.status_code, refused.value.reason) == (
        "AUTH_FAILED",
        401,
        "invalid_client",
    )
    assert refused.value.detail == "Unknown client or wrong secret"
    shown = repr(refused.getrepr(showlocals=False, chain=True)) + repr(agent) + repr(SECRET)
    assert "1234" not in shown


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": 1}, [], "x", None])
async def test_an_answer_without_a_token_is_an_error(server: Scripted, agent: RemoteAgent, body: object) -> None:
    server.says(TOKEN, says(200, body))
    with pytest.raises(NetworkError):
        await agent.diaries.list()


async def test_those_who_wait_for_one_token_get_the_same_answer_and_the_next_tries_anew(
    server: Scripted, agent: RemoteAgent
) -> None:
    server.says(TOKEN, problem(500, "INTERNAL_SERVER_ERROR"), says(200, {"access_token": "t", "expires_in": 60}))
    server.says(LIST, EMPTY)
    told = await asyncio.gather(*(agent.diaries.list() for _ in range(3)), return_exceptions=True)
    assert [isinstance(each, Unavailable) for each in told] == [True] * 3
    assert await agent.diaries.list() == []
    assert server.times(TOKEN) == 2


async def test_one_who_stops_waiting_takes_the_token_from_nobody(server: Scripted, agent: RemoteAgent) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: object):
        asked.set()
        await go_on.wait()
        return await says(200, {"access_token": "t", "expires_in": 60})(_)  # type: ignore[arg-type]

    server.says(TOKEN, slow)
    server.says(LIST, EMPTY)
    first, second = (asyncio.ensure_future(agent.diaries.list()) for _ in range(2))
    await asked.wait()
    first.cancel()
    await asyncio.wait([first])
    go_on.set()
    assert await second == []
    assert server.times(TOKEN) == 1


async def test_public_reading_needs_no_token_and_sends_none(server: Scripted, agent: RemoteAgent) -> None:
    server.says("GET /public/feed", says(200, {"items": [], "nextCursor": None}))
    server.says("GET /.well-known/moltnet.json", problem(404, "NOT_FOUND"))
    await agent.public.feed()
    with pytest.raises(NotFound) as refused:
        await agent.public.network_info()
    assert refused.value.code == "NETWORK_INFO_FAILED"
    assert server.times(TOKEN) == 0
    assert set(server.tokens) == {None}


async def test_nobody_answering_is_reported_at_once() -> None:
    async with http_agent(f"http://127.0.0.1:{unused_port()}", SECRET) as agent:
        with pytest.raises(NetworkError, match=r"http://127.0.0.1:\d+ does not answer") as refused:
            await agent.diaries.list()
    assert refused.value.code == "NETWORK_ERROR"


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://x", "http://", "http://[", "http://127.0.0.1:99999"])
async def test_an_address_of_nothing_is_an_error_of_the_family(url: str) -> None:
    async with http_agent(url, SECRET) as agent:
        with pytest.raises((NetworkError, Invalid)):
            await agent.diaries.list()


async def test_a_redirection_is_not_followed(server: Scripted, agent: RemoteAgent) -> None:
    server.says(LIST, says(302, None, {"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(Problem):
        await agent.diaries.list()
    assert server.asked == [TOKEN, LIST]


async def test_another_kind_of_server_is_recognised(server: Scripted, agent: RemoteAgent) -> None:
    server.says(LIST, says(200, {"hello": "world"}))
    with pytest.raises(NetworkError, match="cannot be read"):
        await agent.diaries.list()


async def test_a_segment_cannot_leave_its_path(server: Scripted, agent: RemoteAgent) -> None:
    with pytest.raises(KeyError):
        _ = server.lines["GET /agents/whoami"]
    server.says("GET /diaries/../agents/whoami", problem(400, "VALIDATION_FAILED"))
    with pytest.raises(Invalid):
        await agent.diaries.get(DiaryId("../agents/whoami"))  # type: ignore[arg-type]
    assert server.asked[-1] == "GET /diaries/../agents/whoami"
