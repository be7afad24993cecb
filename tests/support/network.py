"""A whole network in memory: every use case, a clock that is set by hand, and members that hold their own keys."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import attrs
from dependency_injector import providers

from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.adapters.memory.replicas import MemoryReplicas
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock, MemoryRandomness
from moltnet.adapters.memory.workflows import Journal, MemoryWorkflows
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.system import AsyncioBackground
from moltnet.domain.caller import Caller, Limits
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import CONTENT_MAX, Entry, NewEntry
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.services import Services
from moltnet.domain.services.models import Models
from moltnet.domain.services.registration import RegistrationWorkflow
from moltnet.domain.services.relations import RelationDelivery
from moltnet.domain.sharing import ShareRole
from moltnet.domain.transparency import Leaf
from moltnet.entrypoints.container.networks import Infrastructure
from moltnet.entrypoints.container.ory import Ory
from moltnet.entrypoints.container.wiring import Parts, UseCases
from moltnet.entrypoints.settings import Settings
from moltnet.ports.identity import ClientRegistry, IdentityProvider
from moltnet.ports.search import Embedder
from moltnet.ports.workflows import Backoff, WorkflowBody
from tests.support.builders import NOON, NUMBERS, a_caller, an_agent
from tests.support.interruptions import Calls, InterruptedStorage, interrupted
from tests.support.networks import SETTINGS
from tests.support.stored import joined
from tests.support.tokens import SEAL

BASE_URL = "https://moltnet.example"
EMBEDDER = MemoryEmbedder()


def a_key_pair() -> NaclKeyPair:
    """A key pair that nobody else has."""
    return NaclKeyPair(hashlib.sha256(f"key pair {next(NUMBERS)}".encode()).digest())


@attrs.frozen(kw_only=True)
class Member:
    """An agent of the network, on its own side."""

    key: NaclKeyPair
    caller: Caller

    @property
    def agent_id(self) -> AgentId:
        """Its identity."""
        return self.caller.agent_id

    @property
    def fingerprint(self) -> Fingerprint:
        """The short name of its key."""
        return self.key.public_key.fingerprint


@attrs.frozen(kw_only=True)
class Network:
    """The use cases, and what they stand on.

    `calls` interrupts the statements of the storage and the ports `IdentityProvider`, `ClientRegistry`, `Permissions`,
    `Embedder` and, where permissions live elsewhere, `RelationStore`, by these names; with a replica, `Replicas`.
    """

    services: Services
    memory: MemoryStorage
    storage: InterruptedStorage
    identities: IdentityProvider
    clients: ClientRegistry
    clock: MemoryClock
    calls: Calls
    registration: RegistrationWorkflow
    delivery: RelationDelivery
    relations: MemoryRelationStore
    bodies: Mapping[str, WorkflowBody]
    journal: Journal
    workflows: MemoryWorkflows
    background: AsyncioBackground

    async def member(self) -> Member:
        """A stored agent, without a diary and without credentials."""
        key = a_key_pair()
        agent = await joined(self.storage, an_agent(public_key=key.public_key))
        caller = a_caller(agent=agent)
        return Member(key=key, caller=caller)

    async def diary(self, owner: Member, visibility: Visibility = Visibility.PRIVATE) -> Diary:
        """A new diary."""
        return await self.services.diaries.create(owner.caller, name="A diary", visibility=visibility)

    async def admit(self, diary: Diary, owner: Member, guest: Member, role: ShareRole = ShareRole.READER) -> None:
        """Shares a diary with a guest, who accepts."""
        share = await self.services.sharing.share(owner.caller, diary.id, guest.fingerprint, role)
        await self.services.sharing.accept(guest.caller, share.id)

    async def entry(self, writer: Member, diary: Diary, content: str = "What happened", tags: str = "") -> Entry:
        """A new entry, with the tags that the text names."""
        new = NewEntry(content=content, tags=tuple(tags.split()) or None)
        return await self.services.entries.create(writer.caller, diary.id, new)

    def kept(self) -> dict[str, dict[object, object]]:
        """Every row of every table as it is now, but for the audit log and the open one, which only grow."""
        tables = vars(self.memory._committed)
        chosen = (name for name in tables.keys() - {"audit", "counters"} if not name.startswith("log_"))
        return {name: dict(tables[name].rows()) for name in chosen}

    async def logged(self) -> list[Leaf]:
        """The leaves of the open log so far."""
        while await self.services.transparency.extend():
            pass
        shown = await self.services.transparency.leaves(None, 0, 10_000)
        return [Leaf.parse(leaf.data) for leaf in shown]

    def added(self, before: dict[str, dict[object, object]]) -> dict[str, int]:
        """How many rows each table has more than it had; tables with as many as before are left out."""
        more = {name: len(rows) - len(before[name]) for name, rows in self.kept().items()}
        return {name: count for name, count in more.items() if count}

    async def stored(self, entry: Entry) -> Entry | None:
        """An entry as it is kept, once the accesses noted so far are counted; looking is no access."""
        await self.background.aclose()
        async with self.storage.snapshot() as work:
            return await work.entries.find(entry.diary_id, entry.id)


@asynccontextmanager
async def a_network(
    *,
    embedder: Embedder | None = EMBEDDER,
    content_max: int = CONTENT_MAX,
    with_remote_permissions: bool = False,
    clock: MemoryClock | None = None,
    place: Callable[[Parts], None] = lambda _: None,
    ory: Ory | None = None,
    with_replica: bool = False,
) -> AsyncIterator[Network]:
    """A network at NOON that nobody has joined; what it left running has ended with the context.

    `place` puts other adapters in the place of some.
    """
    calls, clock, memory = Calls(), clock or MemoryClock(NOON), MemoryStorage()
    storage = InterruptedStorage(memory, calls)
    relations = MemoryRelationStore()
    infrastructure = Infrastructure(
        storage=storage,
        events=memory.events,
        models=Models(interrupted("Embedder", embedder, calls) if embedder else None),
        ory=ory,
        replicas=interrupted("Replicas", MemoryReplicas(storage), calls) if with_replica else None,
        relation_store=interrupted("RelationStore", relations, calls) if with_remote_permissions else None,
    )
    with _wiring() as (parts, use_cases):
        parts.settings.override(providers.Object(_settings(content_max)))
        parts.infrastructure.override(providers.Object(infrastructure))
        parts.clock.override(providers.Object(clock))
        parts.randomness.override(providers.Object(MemoryRandomness()))
        parts.background.override(providers.Object(AsyncioBackground()))
        parts.key_encryption.override(providers.Object(SEAL))
        place(parts)
        for name, port in (
            ("IdentityProvider", parts.identities),
            ("ClientRegistry", parts.clients),
            ("Permissions", parts.permissions),
        ):
            port.override(providers.Object(interrupted(name, port(), calls)))
        bodies, journal = parts.workflow_bodies(), Journal()
        workflows = launched(bodies, journal)
        use_cases.workflows.override(providers.Object(workflows))
        network = Network(
            services=_UseCasesOnDemand.of(use_cases),
            memory=memory,
            storage=storage,
            identities=parts.identities(),
            clients=parts.clients(),
            clock=clock,
            calls=calls,
            registration=parts.registration_workflow(),
            bodies=bodies,
            delivery=parts.delivery(),
            relations=relations,
            journal=journal,
            workflows=workflows,
            background=parts.background(),
        )
        try:
            yield network
        finally:
            await workflows.aclose()
            await network.background.aclose()


class _UseCasesOnDemand(Services):
    """Every use case of a container, of which each is made when it is first asked for: a test asks for few."""

    @classmethod
    def of(cls, use_cases: UseCases) -> Services:
        services = cls.__new__(cls)
        object.__setattr__(services, "providers", use_cases.services.kwargs)
        return services

    def __getattr__(self, name: str) -> object:
        if name not in attrs.fields_dict(Services):
            raise AttributeError(name)
        provider = vars(self)["providers"].get(name)
        made = attrs.fields_dict(Services)[name].default if provider is None else provider()
        object.__setattr__(self, name, made)
        return made


_Wiring: TypeAlias = tuple[Parts, UseCases, tuple[providers.BaseSingleton[object], ...]]
# Containers that no network uses. They are made anew only for one beside others: each takes milliseconds.
_FREE: list[_Wiring] = []


def _containers() -> _Wiring:
    """The containers, and everything in them that they make once."""
    parts = Parts(base_url=BASE_URL)
    use_cases = UseCases(parts=parts)
    return parts, use_cases, tuple(use_cases.traverse(types=[providers.BaseSingleton]))


@contextmanager
def _wiring() -> Iterator[tuple[Parts, UseCases]]:
    """Containers in which nothing is replaced and nothing made, of this network alone."""
    parts, use_cases, singletons = wiring = _FREE.pop() if _FREE else _containers()
    try:
        yield parts, use_cases
    finally:
        for provider in (*parts.providers.values(), use_cases.workflows):
            if provider is not parts.base_url:
                provider.reset_override()
        for singleton in singletons:
            singleton.reset()
        _FREE.append(wiring)


def launched(bodies: Mapping[str, WorkflowBody], journal: Journal) -> MemoryWorkflows:
    """Workflows that go on from a journal, and try failed steps again at once."""
    return MemoryWorkflows(bodies, backoff=Backoff(first_s=0), journal=journal)


def _settings(content_max: int) -> Settings:
    return attrs.evolve(SETTINGS, content_max=content_max, rate_limits=Limits())
