"""Whether a server can do its work: `/ready`, beside `/health`, which only tells that it runs."""

import json

import attrs
from aiohttp.test_utils import TestClient, TestServer

from moltnet.domain.errors import StorageFull, StorageUnavailable, Unavailable
from moltnet.entrypoints.rest.app import create_app
from tests.support.networks import in_memory, services_on


class Database:
    """Answers what it is told to."""

    def __init__(self) -> None:
        self.error: Unavailable | None = None

    async def check(self) -> None:
        if self.error is not None:
            raise self.error


async def test_ready_states_the_reason_while_a_part_is_away_and_health_does_not() -> None:
    database = Database()
    async with (
        services_on(attrs.evolve(in_memory(), readiness=database)) as services,
        TestClient(TestServer(create_app(services))) as client,
    ):
        assert (await _settled(client, 200))["status"] == "ready"
        for error in (StorageUnavailable("The database does not answer"), StorageFull()):
            database.error = error
            told = await _settled(client, 503, error.detail)
            assert told.keys() == {"status", "reason", "timestamp"}
            assert told["status"] == "unavailable"
            assert (await client.get("/health")).status == 200
        database.error = None
        await _settled(client, 200)


async def test_ready_is_never_held_up_nor_cached(network) -> None:
    answers = [await network.http.get("/ready") for _ in range(100)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


async def _settled(client: TestClient, status: int, reason: str | None = None) -> dict[str, str]:
    """What is told once it has this status and reason; the hang guard is the test's own."""
    for _ in range(100_000):
        answer = await client.get("/ready")
        told: dict[str, str] = json.loads(await answer.text())
        if answer.status == status and told.get("reason") == reason:
            return told
    raise AssertionError(told)
