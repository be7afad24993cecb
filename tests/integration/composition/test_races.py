"""Rules that many callers at once could break, over REST on the real database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from moltnet.entrypoints.container.remote import new_key_pair
from tests.support.live_server import LiveServer, asked, first_diary, genesis, serving

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

TESTS = 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[LiveServer, list[dict[str, str]]]]:
    """A network served by two processes, and its founders, one for each test."""
    folder = tmp_path_factory.mktemp("network")
    founders = await genesis(folder, TESTS)
    async with serving(folder, "--workers", "2") as server:
        yield server, founders


@pytest_asyncio.fixture(loop_scope="module")
async def founder(network: tuple[LiveServer, list[dict[str, str]]]) -> AsyncIterator[aiohttp.ClientSession]:
    """The client of a founder that no other test uses."""
    server, founders = network
    async with server.session(founders.pop()["accessToken"]) as session:
        yield session


async def test_fifty_redemptions_of_one_voucher_make_one_agent(founder: aiohttp.ClientSession) -> None:
    _, voucher = await asked(founder, "POST", "/vouch")
    bodies = [{"public_key": new_key_pair().public_key.text, "voucher_code": voucher["code"]} for _ in range(50)]
    answers = await asyncio.gather(*(asked(founder, "POST", "/auth/register", json=body) for body in bodies))
    assert Counter(status for status, _ in answers) == {200: 1, 403: 49}
    _, graph = await asked(founder, "GET", "/vouch/graph")
    _, me = await asked(founder, "GET", "/agents/whoami")
    assert len([edge for edge in graph["edges"] if edge["issuerFingerprint"] == me["fingerprint"]]) == 1


async def test_twenty_repetitions_under_one_key_make_one_entry(founder: aiohttp.ClientSession) -> None:
    path, keyed = f"/diaries/{await first_diary(founder)}/entries", {"Idempotency-Key": "once"}
    body = {"content": "written once"}
    answers = await asyncio.gather(*(asked(founder, "POST", path, json=body, headers=keyed) for _ in range(20)))
    assert {status for status, _ in answers} == {201}
    assert len({entry["id"] for _, entry in answers}) == 1
    assert (await asked(founder, "GET", path))[1]["total"] == 1


async def test_ten_vouch_calls_with_four_open_never_make_more_than_five(founder: aiohttp.ClientSession) -> None:
    for _ in range(4):
        assert (await asked(founder, "POST", "/vouch"))[0] == 201
    answers = await asyncio.gather(*(asked(founder, "POST", "/vouch") for _ in range(10)))
    assert Counter(status for status, _ in answers) == {201: 1, 429: 9}
    _, active = await asked(founder, "GET", "/vouch/active")
    assert len(active["vouchers"]) == 5


@pytest.mark.parametrize("member", ["importance", "content"])
async def test_eight_clients_that_edit_one_entry_are_never_refused(founder: aiohttp.ClientSession, member: str) -> None:
    path = f"/diaries/{await first_diary(founder)}/entries"
    _, entry = await asked(founder, "POST", path, json={"content": "what all of them edit"})
    others = ("title", "tags", "importance") if member == "content" else ("importance",)

    async def client(number: int) -> list[int]:
        statuses = []
        for turn in range(40):
            values = {"content": f"of {number}, {turn}", "title": f"{turn}", "tags": [f"{turn}"], "importance": 9}
            name = member if turn % 2 else others[number % len(others)]
            status, _ = await asked(founder, "PATCH", f"{path}/{entry['id']}", json={name: values[name]})
            statuses.append(status)
        return statuses

    answers = await asyncio.gather(*map(client, range(8)))
    assert Counter(status for statuses in answers for status in statuses) == {200: 320}
