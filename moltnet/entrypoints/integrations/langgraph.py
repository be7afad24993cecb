"""LangGraph: a store whose namespaces lie in diaries.

The first label of a namespace names a diary, made when something is first put there; the labels below it are tags in
that diary. An item is an entry: its value as JSON, or a plain text for `{"content": "…"}`, so that agents of other
frameworks read and write the same memories. An entry that is no item of a store is found by a search under the first
label, with its id as key.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    validate_op_namespace,
)

from moltnet.domain.entries import Entry
from moltnet.domain.errors import Conflict, NotFound
from moltnet.domain.ids import DiaryId
from moltnet.domain.search import QUERY_MAX, Hit
from moltnet.entrypoints.integrations import stored_items as items
from moltnet.entrypoints.integrations.loops import AnyAgent, LoopBound
from moltnet.entrypoints.integrations.named_entries import PAGE, NamedEntries, tag_of
from moltnet.entrypoints.integrations.namespaces import Namespace, matches_all, matches_filter

AT_ONCE = 8


class DiaryStore(BaseStore):
    """A LangGraph store. It raises what the network refuses with: what cannot be asked is not "not found".

    A value has at most 10 000 characters as JSON, a namespace with its key 253, a search query the first 500. Without a
    query, items come newest first. A filter is applied to what was found, a hundred entries for each request. An item
    with a TTL is found until it expires, and deleted by the first read after that; a read that renews its TTL is a
    write, and moves `updated_at`. `index` has no effect: every item is found by meaning.
    """

    supports_ttl = True

    def __init__(
        self,
        agent: AnyAgent,
        *,
        diaries: Mapping[str, DiaryId] | None = None,
        ttl: TTLConfig | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """A store of an agent's; of `moltnet.blocking` for the methods that do not await.

        Args:
            agent: whose diaries they are.
            diaries: which diaries first labels name; for all others, the agent's own diary of that name.
            ttl: LangGraph's own settings; expired items are always left out, and no sweeper runs.
            now: the time that TTLs are counted by.
        """
        self.ttl_config = ttl
        self._bound = LoopBound.of(agent)
        self._named_diaries = dict(diaries or {})
        self._own_diaries: dict[str, DiaryId] = {}
        self._forgotten = 0
        self._now = now

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carries out operations; raises RuntimeError in the event loop of the agent."""
        return self._bound.result(self._batch(list(ops)))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Carries out operations: what reads first, then what writes, of several for one key the last."""
        return await self._bound.awaited(self._batch(list(ops)))

    async def _batch(self, ops: list[Op]) -> list[Result]:
        for op in ops:
            validate_op_namespace(op)
        at_once = asyncio.Semaphore(AT_ONCE)

        async def run(op: Op) -> Result:
            async with at_once:
                try:
                    return await self._run(op)
                except NotFound:
                    # The diary was deleted since this store first used it: it is looked for again, once.
                    if not self._forget(op):
                        raise
                    return await self._run(op)

        puts = {(op.namespace, op.key): op for op in ops if isinstance(op, PutOp)}
        reads = await asyncio.gather(*(run(op) for op in ops if not isinstance(op, PutOp)))
        await asyncio.gather(*(run(op) for op in puts.values()))
        answers = iter(reads)
        return [None if isinstance(op, PutOp) else next(answers) for op in ops]

    async def _run(self, op: Op) -> Result:
        match op:
            case GetOp():
                return await self._get(op)
            case SearchOp():
                return await self._search(op)
            case ListNamespacesOp():
                return await self._list(op)
            case PutOp():
                await (self._put(op) if op.value is not None else self._delete(op))
                return None
        raise ValueError(f"Unknown operation: {type(op).__name__}")

    async def _get(self, op: GetOp) -> Item | None:
        diary = await self._diary(op.namespace)
        entry = diary and await self._entries(diary).find(items.name_of(op.namespace, op.key))
        if not entry or not await self._is_alive(entry, refresh=op.refresh_ttl):
            return None
        return Item(**items.members_of(entry, op.namespace[0]))

    async def _delete(self, op: PutOp) -> None:
        diary = await self._diary(op.namespace)
        if diary:
            await self._entries(diary).remove(items.name_of(op.namespace, op.key))

    async def _put(self, op: PutOp) -> None:
        content, tags = items.content_of(op.value or {}), items.tags_of(op.namespace)
        if op.ttl is not None:
            tags = (*tags, *items.ttl_tags(op.ttl, self._now()))
        diary = await self._diary(op.namespace) or await self._new_diary(op.namespace[0])
        await self._entries(diary).put(items.name_of(op.namespace, op.key), content, tags)

    async def _search(self, op: SearchOp) -> list[SearchItem]:
        found: list[SearchItem] = []
        passed = 0
        async for hit, root in self._hits(op.namespace_prefix, (op.query or "")[:QUERY_MAX].strip() or None):
            members = items.members_of(hit.entry, root)
            if not matches_filter(members["value"], op.filter or {}):
                continue
            if not await self._is_alive(hit.entry, refresh=op.refresh_ttl):
                continue
            passed += 1
            if passed > op.offset:
                found.append(SearchItem(**members, score=hit.score))
            if len(found) >= op.limit:
                break
        return found[: op.limit]

    async def _list(self, op: ListNamespacesOp) -> list[Namespace]:
        names: set[Namespace] = set()
        async for hit, root in self._hits((), None):
            namespace = items.members_of(hit.entry, root)["namespace"]
            if items.is_alive(hit.entry, self._now()) and matches_all(op.match_conditions or (), namespace):
                names.add(namespace[: op.max_depth])
        return sorted(names)[op.offset : op.offset + op.limit]

    async def _hits(self, prefix: Namespace, query: str | None) -> AsyncIterator[tuple[Hit, str]]:
        """What lies below a namespace, with the first label of each; below none, all items of all diaries."""
        if prefix:
            diary = await self._diary(prefix)
            if diary:
                async for hit in self._pages(query, diary_id=diary, tags=items.prefix_tags(prefix)):
                    yield hit, prefix[0]
            return
        for root, diary in self._named_diaries.items():
            async for hit in self._pages(query, diary_id=diary, tags=[items.MARK]):
                yield hit, root
        named = set(self._named_diaries.values())
        own = {diary.id: diary.name for diary in await self._bound.agent.diaries.list() if diary.id not in named}
        async for hit in self._pages(query, tags=[items.MARK], include_shared=False):
            if hit.entry.diary_id in own:
                yield hit, own[hit.entry.diary_id]

    async def _pages(self, query: str | None, **where: Any) -> AsyncIterator[Hit]:
        offset = 0
        while True:
            found = await self._bound.agent.diary.search(
                query, exclude_superseded=True, limit=PAGE, offset=offset, **where
            )
            for hit in found.hits:
                yield hit
            offset += PAGE
            if len(found.hits) < PAGE:
                return

    async def _is_alive(self, entry: Entry, *, refresh: bool) -> bool:
        """Whether an item has not expired; renews its TTL if asked, and deletes it if it has."""
        diary = self._bound.agent.diary
        alive = items.is_alive(entry, self._now())
        minutes = items.ttl_of(entry) if refresh else None
        with suppress(NotFound, Conflict):  # another one deletes or renews it
            if not alive:
                await diary.delete(entry.diary_id, entry.id)
            elif minutes is not None:
                tags = (*items.tags_without_ttl(entry), *items.ttl_tags(minutes, self._now()))
                await diary.update(entry.diary_id, entry.id, tags=tags)
        return alive

    def _entries(self, diary: DiaryId) -> NamedEntries:
        return NamedEntries(self._bound.agent, diary, items.MARK)

    async def _diary(self, namespace: Namespace) -> DiaryId | None:
        root = namespace[0] if namespace else ""
        known = self._named_diaries.get(root) or self._own_diaries.get(root)
        if known is None:
            own = [diary.id for diary in await self._bound.agent.diaries.list() if diary.name == root]
            if own:
                known = self._own_diaries[root] = own[-1]  # of several, the oldest
        return known

    async def _new_diary(self, root: str) -> DiaryId:
        # The key makes one diary of what two processes ask for at the same moment.
        key = tag_of(f"langgraph-{self._now():%Y%m%dT%H%M}-{self._forgotten}", root)
        created = await self._bound.agent.diaries.create(name=root, key=key)
        self._own_diaries[root] = created.id
        return created.id

    def _forget(self, op: Op) -> bool:
        namespace = op.namespace if isinstance(op, GetOp | PutOp) else getattr(op, "namespace_prefix", ())
        known = self._own_diaries.pop(namespace[0], None) if namespace else None
        self._forgotten += known is not None
        return known is not None
