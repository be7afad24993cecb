"""A permission store that fails when it is told to, and what it holds."""

from collections.abc import Iterator

from moltnet.domain.diaries import Diary
from moltnet.domain.errors import Unavailable
from moltnet.domain.outbox import OutboxMessage
from moltnet.domain.permissions import Namespace, Relation, RelationTuple, Thing, TuplePattern
from tests.support.interruptions import Act, failing
from tests.support.network import Member, Network


class Crashed(Exception):
    """The process ended here."""


async def passing() -> None:
    pass


def ever(act: Act) -> Iterator[Act]:
    while True:
        yield act


DOWN = failing(Unavailable())


def store_is_down(network: Network) -> None:
    for call in ("write", "delete"):
        network.calls.before(f"RelationStore.{call}", ever(DOWN))


def store_is_back(network: Network) -> None:
    for call in ("write", "delete"):
        network.calls.before(f"RelationStore.{call}", [])


async def told(network: Network) -> set[RelationTuple]:
    """Every tuple of the store."""
    return {held for namespace in Namespace for held in await network.relations.list(TuplePattern(namespace=namespace))}


def between(diary: Diary, relation: Relation, member: Member) -> RelationTuple:
    return RelationTuple(Thing.diary(diary.id), relation, Thing.agent(member.agent_id))


async def pending(network: Network) -> list[OutboxMessage]:
    async with network.storage.snapshot() as work:
        return await work.outbox.latest_per_partition(100)
