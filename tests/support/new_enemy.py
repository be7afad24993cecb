"""An agent that was shut out goes on reading while its former host writes secrets: whether it ever sees one.

The reader has threads with an event loop, connections and use cases of their own; the host has its own as well.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Self, TypeAlias

import attrs

from moltnet.adapters.postgres.notifications import PostgresNotifications
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock
from moltnet.domain.caller import Caller
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryEdit, Visibility
from moltnet.domain.digest import Reflection
from moltnet.domain.entries import Entry, EntryEdit, NewEntry
from moltnet.domain.errors import NotFound
from moltnet.domain.feed import Selection
from moltnet.domain.search import Filters, Search
from moltnet.domain.services import Services
from moltnet.domain.sharing import ShareRole
from moltnet.ports.permissions import Permissions, RelationStore
from moltnet.ports.storage import Storage
from tests.support.builders import a_caller
from tests.support.stored import joined
from tests.support.usecases import services_over

HARMLESS, SECRET = "memory harmless", "memory secret"
TIMEOUT_S = 60
HEARTBEAT_S = 0.1

Look: TypeAlias = Callable[[Services], Awaitable[Iterable[str]]]


@attrs.frozen
class SharedDiary:
    """A diary with one entry, and a guest who was let in and is shut out; no guest is let in twice."""

    guest: Caller
    diary: Diary
    entry: Entry

    def looks(self) -> list[Look]:
        """The ways in which the guest reads; each answers the texts it saw."""
        guest, diary_id, entry_id = self.guest, self.diary.id, self.entry.id

        async def by_id(services: Services) -> Iterable[str]:
            return [(await services.entries.get(guest, diary_id, entry_id)).content]

        async def listed(services: Services) -> Iterable[str]:
            entries, _ = await services.entries.list(guest, diary_id, Filters(), Page(10))
            return [entry.content for entry in entries]

        async def reflected(services: Services) -> Iterable[str]:
            digest = await services.search.reflect(guest, diary_id, Reflection())
            return [entry.content for entry in digest.entries]

        def found(search: Search) -> Look:
            async def look(services: Services) -> Iterable[str]:
                return [hit.entry.content for hit in (await services.search.search(guest, search)).hits]

            return look

        searches = (
            Search(query="memory"),
            Search(include_shared=True),
            Search(query="memory", diary_id=diary_id),
            Search(diary_id=diary_id),
        )
        return [by_id, listed, reflected, *map(found, searches)]


@attrs.frozen
class Host:
    """The owner of every scene's diary."""

    storage: Storage
    services: Services
    caller: Caller

    async def scene(self) -> SharedDiary:
        """A new diary and a guest who may read it."""
        guest = a_caller(agent=await joined(self.storage))
        diary = await self.services.diaries.create(self.caller, name="A diary")
        entry = await self.services.entries.create(self.caller, diary.id, NewEntry(content=HARMLESS))
        fingerprint = guest.public_key.fingerprint
        share = await self.services.sharing.share(self.caller, diary.id, fingerprint, ShareRole.READER)
        await self.services.sharing.accept(guest, share.id)
        return SharedDiary(guest, diary, entry)

    async def let_all_in(self, scene: SharedDiary) -> None:
        """Shows the diary to everybody, and writes something that everybody may see."""
        await self.services.diaries.update(self.caller, scene.diary.id, DiaryEdit(visibility=Visibility.PUBLIC))
        await self.services.entries.create(self.caller, scene.diary.id, NewEntry(content=HARMLESS))

    async def shut_out(self, scene: SharedDiary) -> None:
        """Leaves nobody but the host; holds once it returns."""
        await self.services.diaries.update(self.caller, scene.diary.id, DiaryEdit(visibility=Visibility.PRIVATE))
        await self.services.sharing.revoke(self.caller, scene.diary.id, scene.guest.public_key.fingerprint)

    async def write_secrets(self, scene: SharedDiary) -> None:
        """One where there was something harmless, and one that is new."""
        secret = EntryEdit(content=SECRET)
        await self.services.entries.update(self.caller, scene.diary.id, scene.entry.id, secret)
        await self.services.entries.create(self.caller, scene.diary.id, NewEntry(content=SECRET))


@asynccontextmanager
async def a_host(conninfo: str, store: RelationStore | None = None) -> AsyncIterator[Host]:
    """A new member with connections of its own."""
    async with (
        PostgresStorage.open(conninfo, max_connections=2) as storage,
        services_over(storage, SystemClock(), relation_store=store) as services,
    ):
        yield Host(storage, services, a_caller(agent=await joined(storage)))


async def play(host: Host, guest: "RevokedReader", rounds: int) -> None:
    """Shuts a guest out and writes secrets, so many times or until one leaked; every other time all had been let in."""
    for number in range(rounds):
        scene = guest.scene
        if number % 2:
            await host.let_all_in(scene)
        await host.shut_out(scene)
        await host.write_secrets(scene)
        if guest.leaks or guest.failures:
            return
        guest.scene = await host.scene()
        await host.services.diaries.delete(host.caller, scene.diary.id)


class RevokedReader:
    """The reader's threads, while the context is open: one for each way to look and one that follows the feed."""

    def __init__(
        self,
        conninfo: str,
        scene: SharedDiary,
        *,
        permissions: Callable[[], Permissions] | None = None,
        store: RelationStore | None = None,
    ) -> None:
        self.leaks: list[str] = []
        self.failures: list[BaseException] = []
        self.scene = scene
        self.sights = [0] * (len(scene.looks()) + 1)
        self._conninfo, self._permissions, self._store = conninfo, permissions, store
        self._over = threading.Event()
        works = [*(self._looking(number) for number in range(len(scene.looks()))), self._following()]
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in works]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(TIMEOUT_S)
            assert not thread.is_alive()

    def _run(self, work: Coroutine[object, object, None]) -> None:
        try:
            asyncio.run(work)
        except Exception as failure:  # noqa: BLE001  # a thread has nobody to raise it to
            self.failures.append(failure)

    async def _looking(self, number: int) -> None:
        async with self._services() as services:
            while not self._over.is_set():
                with suppress(NotFound):
                    self._note(number, await self.scene.looks()[number](services))

    async def _following(self) -> None:
        async with self._services() as services:
            following = asyncio.create_task(self._follow(services))
            while not self._over.is_set() and not following.done():
                await asyncio.wait([following], timeout=HEARTBEAT_S)
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    async def _follow(self, services: Services) -> None:
        async for stretch in await services.feed.follow(None, Selection()):
            self._note(len(self.sights) - 1, [item.entry.content for item in stretch])

    @asynccontextmanager
    async def _services(self) -> AsyncIterator[Services]:
        permissions = self._permissions() if self._permissions else None
        async with (
            PostgresStorage.open(self._conninfo, max_connections=2) as storage,
            PostgresNotifications.open(self._conninfo) as events,
            services_over(
                storage, SystemClock(), events=events, permissions=permissions, relation_store=self._store
            ) as services,
        ):
            yield services

    def _note(self, number: int, texts: Iterable[str]) -> None:
        told = list(texts)
        self.sights[number] += bool(told)
        self.leaks.extend(f"look {number}: {text}" for text in told if text == SECRET)
