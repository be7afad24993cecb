"""A server whose permissions live elsewhere: what callers are told while the store is down."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import attrs
import pytest
from aiohttp.test_utils import TestClient, TestServer

from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.domain.errors import Unavailable
from moltnet.domain.permissions import Namespace, TuplePattern
from moltnet.entrypoints.rest.app import create_app
from tests.integration.rest.conftest import RestNetwork
from tests.support.interruptions import Act, Calls, failing, interrupted
from tests.support.networks import in_memory, services_on

DOWN = failing(Unavailable())
WRITES, ASKS = ("RelationStore.write", "RelationStore.delete"), ("RelationStore.permitted", "RelationStore.list")
DIARIES = TuplePattern(namespace=Namespace.DIARY)


def ever(act: Act) -> Iterator[Act]:
    while True:
        yield act


class NetworkUrls:
    """What outlives a server: data, and the store elsewhere."""

    def __init__(self) -> None:
        self.calls, self.store = Calls(), MemoryRelationStore()
        self._foundation = attrs.evolve(
            in_memory(None), relation_store=interrupted("RelationStore", self.store, self.calls)
        )

    def goes_down(self, *calls: str) -> None:
        for call in calls:
            self.calls.before(call, ever(DOWN))

    def comes_back(self) -> None:
        for call in (*WRITES, *ASKS):
            self.calls.before(call, [])

    @asynccontextmanager
    async def server(self) -> AsyncIterator[RestNetwork]:
        """A server, until the context is left."""
        async with (
            services_on(self._foundation) as services,
            TestClient(TestServer(create_app(services))) as http,
        ):
            yield RestNetwork(http=http, services=services)


@pytest.fixture
def place() -> NetworkUrls:
    """With nothing in it."""
    return NetworkUrls()


async def test_what_cannot_be_delivered_is_reported_as_an_upstream_error_and_delivered_after_a_restart(
    place: NetworkUrls,
) -> None:
    async with place.server() as network:
        ada = await network.member()
        diary = await ada.diary()
        place.goes_down(*WRITES)
        refused = await ada.ask("POST", "/diaries", {"name": "notes"}, headers={"Idempotency-Key": "once"})
        assert (refused.status, refused.json["code"]) == (502, "UPSTREAM_ERROR")
        assert int(refused.headers["Retry-After"]) > 0
        again = await ada.ask("POST", "/diaries", {"name": "notes"}, headers={"Idempotency-Key": "once"})
        assert again.status == 201
        assert (await ada.ask("GET", f"/diaries/{again.json['id']}")).status == 200
        told = {str(held.thing.id) for held in await place.store.list(DIARIES)}
        assert (diary in told, again.json["id"] in told) == (True, False)
    place.comes_back()
    delivered = asyncio.Event()

    async def note() -> None:
        delivered.set()

    place.calls.after("RelationStore.write", [note])
    async with place.server():
        await delivered.wait()
    assert again.json["id"] in {str(held.thing.id) for held in await place.store.list(DIARIES)}


async def test_an_outage_is_never_reported_as_a_missing_right_or_a_missing_thing(place: NetworkUrls) -> None:
    async with place.server() as network:
        ada = await network.member()
        diary = await ada.diary()
        place.goes_down(*ASKS)
        for method, path, body in (
            ("GET", f"/diaries/{diary}", None),
            ("GET", f"/diaries/{diary}/entries", None),
            ("POST", f"/diaries/{diary}/entries", {"content": "a memory"}),
            ("POST", "/diaries/search", {"query": "memory"}),
            ("DELETE", f"/diaries/{diary}", None),
        ):
            told = await ada.ask(method, path, body)
            assert (told.status, told.json["code"]) == (502, "UPSTREAM_ERROR"), path
            assert "Retry-After" in told.headers
        place.comes_back()
        assert (await ada.ask("GET", f"/diaries/{diary}")).status == 200


async def test_a_revocation_holds_while_the_store_is_down(place: NetworkUrls) -> None:
    async with place.server() as network:
        ada, bob = [await network.member() for _ in range(2)]
        diary = await ada.diary()
        await ada.shares_with(bob, diary)
        assert (await bob.ask("GET", f"/diaries/{diary}")).status == 200
        place.goes_down(*WRITES)
        assert (await ada.ask("DELETE", f"/diaries/{diary}/share/{bob.fingerprint}")).status == 502
        assert (await bob.ask("GET", f"/diaries/{diary}")).status == 404
