"""Moving identities, clients and relations elsewhere, and back: agent by agent, each step safe to repeat."""

from collections.abc import AsyncIterator, Mapping
from enum import StrEnum

import attrs

from moltnet.domain.agents import Agent
from moltnet.domain.constraints import Page
from moltnet.domain.credentials import ALL_SCOPES, ClientNotFound, ClientSecret
from moltnet.domain.ids import ClientId, DiaryId
from moltnet.domain.permissions import Link, Namespace, Relation, RelationTuple, Right, Thing, TuplePattern, rights_of
from moltnet.domain.registration import import_of
from moltnet.domain.search import Filters
from moltnet.domain.services.relations import RelationDelivery
from moltnet.domain.sharing import ShareStatus
from moltnet.ports.identity import ClientRegistry, IdentityProvider
from moltnet.ports.permissions import RelationStore
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock, Randomness

PAGE = 200


class Direction(StrEnum):
    """Where to."""

    OUT = "out"
    BACK = "back"


@attrs.frozen(kw_only=True)
class Moved:
    """What became of one agent, or would: how much was missing over there, and what differs afterwards.

    `secret` is a new one; None when the agent keeps the one it has.
    """

    agent: Agent
    has_client: bool
    relations: int
    secret: ClientSecret | None = None
    differences: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class RelocationService:
    """Run it while no server does. What is there already is left as it is, so a run that broke off can be repeated.

    `identities`, `clients` and `relations` are elsewhere; `builtin_clients` are the network's own. `delivery` brings
    there what servers have left to it.
    """

    storage: Storage
    identities: IdentityProvider
    clients: ClientRegistry
    relations: RelationStore
    delivery: RelationDelivery
    builtin_clients: ClientRegistry
    clock: Clock
    randomness: Randomness

    async def move(self, direction: Direction, *, dry_run: bool) -> AsyncIterator[Moved]:
        """Every agent, one after the other; a dry run changes nothing and says what is missing.

        Raises Unavailable where the other side does not answer; what was told before that is moved.
        """
        if not dry_run:
            await self._deliver()
        step = self._out if direction is Direction.OUT else self._back
        last: Agent | None = None
        while page := await self._agents_after(last):
            for agent in page:
                yield await step(agent, dry_run=dry_run)
            last = page[-1]

    async def _agents_after(self, last: Agent | None) -> list[Agent]:
        async with self.storage.autocommit() as work:
            return await work.agents.after(last.id if last else None, PAGE)

    async def _deliver(self) -> None:
        while True:
            async with self.storage.autocommit() as work:
                latest = await work.outbox.latest_per_partition(PAGE)
            if not latest:
                return
            for message in latest:
                await self.delivery.deliver(message.change.partition_key, message.number)

    # Out

    async def _out(self, agent: Agent, *, dry_run: bool) -> Moved:
        async with self.storage.autocommit() as work:
            client = await work.clients.of_agent(agent.id)
            stored = await _current_relations(work, agent, await work.relations.diaries_of(agent.id))
            expected = await _tuples(work, agent, stored)
        missing = [each for each in expected if not await self.relations.list(_exactly(each))]
        has_client = client is not None and await self._is_elsewhere(client.id, agent)
        moved = Moved(agent=agent, has_client=has_client, relations=len(missing))
        if dry_run:
            return moved
        await self.identities.create(import_of(agent.id), agent.public_key, None)
        for each in missing:
            await self.relations.write(each)
        if client is not None and not has_client:
            moved = attrs.evolve(moved, secret=await self.clients.create(client.id, agent, client.scopes))
        return attrs.evolve(moved, differences=await self._differences(agent, stored))

    async def _is_elsewhere(self, client_id: ClientId, agent: Agent) -> bool:
        try:
            return await self.clients.agent_of(str(client_id)) == agent.id
        except ClientNotFound:
            return False

    # Back

    async def _back(self, agent: Agent, *, dry_run: bool) -> Moved:
        external = await self._remote_relations(agent)
        async with self.storage.snapshot() as work:
            client, stored = await work.clients.of_agent(agent.id), await work.relations.diaries_of(agent.id)
            external = {diary: external[diary] for diary in external if await work.diaries.find(diary)}
        moved = Moved(agent=agent, has_client=client is not None, relations=_distance(stored, external))
        if dry_run:
            return moved
        async with self.storage.transaction() as work:
            await work.identities.add(agent.id, agent.public_key, self.clock.now())
            await _hold(work, agent, stored, external)
        if client is None:
            fresh = ClientId(self.randomness.nonce())
            moved = attrs.evolve(moved, secret=await self.builtin_clients.create(fresh, agent, ALL_SCOPES))
        return attrs.evolve(moved, differences=await self._differences(agent, await self._stored_relations(agent)))

    # What both must agree on

    async def _stored_relations(self, agent: Agent) -> dict[DiaryId, frozenset[Relation]]:
        async with self.storage.autocommit() as work:
            return await work.relations.diaries_of(agent.id)

    async def _remote_relations(self, agent: Agent) -> dict[DiaryId, frozenset[Relation]]:
        external: dict[DiaryId, frozenset[Relation]] = {}
        for each in await self.relations.list(_of_agent(agent)):
            if isinstance(each.relation, Relation):
                diary = DiaryId(each.thing.id)
                external[diary] = external.get(diary, frozenset()) | {each.relation}
        return external

    async def _differences(self, agent: Agent, stored: Mapping[DiaryId, frozenset[Relation]]) -> tuple[str, ...]:
        external = await self._remote_relations(agent)
        wrong = [
            f"Diary:{diary} is {_names(stored.get(diary))} here and {_names(external.get(diary))} elsewhere"
            for diary in sorted({*stored, *external})
            if stored.get(diary) != external.get(diary)
        ]
        for diary, relations in stored.items():
            permitted = await self.relations.permitted(Thing.diary(diary), frozenset(Right), agent.id)
            if permitted != rights_of(relations):
                wrong.append(f"Diary:{diary} gives the rights {', '.join(sorted(permitted)) or 'none'} elsewhere")
        return tuple(wrong)


async def _current_relations(
    work: UnitOfWork, agent: Agent, stored: Mapping[DiaryId, frozenset[Relation]]
) -> dict[DiaryId, frozenset[Relation]]:
    """Those of an agent's relations that its diaries and shares give it now.

    Where a network has lived elsewhere, its own relations are as old as that: what was revoked since must not return.
    """
    true: dict[DiaryId, frozenset[Relation]] = {}
    for diary_id, relations in stored.items():
        diary, share = await work.diaries.find(diary_id), await work.shares.find_for(diary_id, agent.id)
        granted = {Relation.OWNER} if diary and diary.owner_id == agent.id else set()
        if share and share.status is ShareStatus.ACCEPTED:
            granted.add(share.role.relation)
        if current := relations & granted:
            true[diary_id] = current
    return true


async def _tuples(work: UnitOfWork, agent: Agent, stored: Mapping[DiaryId, frozenset[Relation]]) -> list[RelationTuple]:
    """An agent's relations, and what hangs on its own diaries, as another store has them."""
    who = Thing.agent(agent.id)
    tuples = [RelationTuple(who, Link.SELF, who)]
    for diary, relations in stored.items():
        tuples += [RelationTuple(Thing.diary(diary), relation, who) for relation in sorted(relations)]
        if Relation.OWNER in relations:
            tuples += await _entries_of(work, diary)
    return tuples


async def _entries_of(work: UnitOfWork, diary: DiaryId) -> list[RelationTuple]:
    tuples: list[RelationTuple] = []
    while True:
        entries = await work.entries.latest([diary], Filters(), Page(PAGE, len(tuples)))
        if not entries:
            return tuples
        tuples += [RelationTuple(Thing.entry(entry.id), Link.PARENT, Thing.diary(diary)) for entry in entries]


async def _hold(
    work: UnitOfWork,
    agent: Agent,
    stored: Mapping[DiaryId, frozenset[Relation]],
    external: Mapping[DiaryId, frozenset[Relation]],
) -> None:
    for diary in {*stored, *external}:
        here, there = stored.get(diary, frozenset()), external.get(diary, frozenset())
        await work.relations.remove(diary, here - there, agent.id)
        for relation in there - here:
            await work.relations.add(diary, relation, agent.id)


def _exactly(stored: RelationTuple) -> TuplePattern:
    thing = stored.thing
    return TuplePattern(namespace=thing.namespace, id=thing.id, relation=stored.relation, subject=stored.subject)


def _of_agent(agent: Agent) -> TuplePattern:
    return TuplePattern(namespace=Namespace.DIARY, subject=Thing.agent(agent.id))


def _distance(stored: Mapping[DiaryId, frozenset[Relation]], external: Mapping[DiaryId, frozenset[Relation]]) -> int:
    none: frozenset[Relation] = frozenset()
    return sum(len(stored.get(each, none) ^ external.get(each, none)) for each in {*stored, *external})


def _names(relations: frozenset[Relation] | None) -> str:
    return ", ".join(sorted(relations or ())) or "nobody's"
