"""The same question has the same answer, whoever of several processes gives it."""

from pathlib import Path

import aiohttp
import pytest

from tests.support.live_server import first_diary, genesis, serving

pytestmark = pytest.mark.real

ASKED, CONNECTIONS = 100, 10


async def test_a_question_asked_a_hundred_times_of_two_workers_has_one_order(tmp_path: Path) -> None:
    (founder,) = await genesis(tmp_path)
    orders = set[tuple[tuple[str, float], ...]]()
    async with serving(tmp_path, "--workers", "2") as server:
        async with server.session(founder["accessToken"]) as session:
            diary = await first_diary(session)
            for number in range(30):  # each text three times: equals stand in the order of their ids
                body = {"content": f"The harbour at dawn, note {number % 10} of the heron in the fog"}
                await _post(session, f"/diaries/{diary}/entries", body)
        for _ in range(CONNECTIONS):  # each connection is one worker's
            async with server.session(founder["accessToken"]) as session:
                for _ in range(ASKED // CONNECTIONS):
                    answer = await _post(session, "/diaries/search", {"query": "heron at the harbour", "limit": 20})
                    orders.add(tuple((each["id"], each["score"]) for each in answer["results"]))
    assert len(orders) == 1
    assert len(next(iter(orders))) == 20


async def _post(
    session: aiohttp.ClientSession, path: str, body: dict[str, object]
) -> dict[str, list[dict[str, object]]]:
    async with session.post(path, json=body) as answer:
        answer.raise_for_status()
        return dict(await answer.json())
