"""The ports over Ory: the stand-in, or real services where `MOLTNET_TEST_ORY_…` name them (tests/support/ory/named.py).

Real services keep what the suites make.
"""

import functools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.ory.claims import Expected
from moltnet.adapters.ory.clients import OryClients
from moltnet.adapters.ory.identity import OryIdentityProvider
from moltnet.adapters.ory.published_keys import PublishedKeys
from moltnet.adapters.ory.relations import OryRelationStore
from moltnet.adapters.ory.schemas import AgentSchema
from moltnet.adapters.ory.service import CallLimits
from moltnet.adapters.ory.services import OryAddresses, OryServices, ory_services
from moltnet.adapters.ory.tokens import OryTokenIssuer, OryTokenVerifier
from moltnet.adapters.system import SystemRandomness
from moltnet.entrypoints.rest.routes.hooks import exchanged
from moltnet.entrypoints.schema.convert import json_value
from moltnet.ports.identity import ClientRegistry
from moltnet.ports.storage import Storage
from tests.support.builders import NOON
from tests.support.ory import named
from tests.support.ory.hydra import TokenHook
from tests.support.ory.named import SIDES
from tests.support.ory.proxy import a_hook_server
from tests.support.ory.server import API_KEY, OryStandIn, an_ory

BASE_URL = "https://moltnet.example/"
ISSUER = "https://auth.example"
# Fails as it does with an operator's limits, only sooner.
QUICK = CallLimits(connect_s=1.0, read_s=2.0, first_wait_s=0.001, longest_wait_s=0.05, breaker_threshold=1000)


class RunningClock(MemoryClock):
    """The time, and what a test has added to it: real services have a clock of their own, which nobody sets."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self._added = timedelta()

    def now(self) -> datetime:
        """The time it shows."""
        return datetime.now(UTC) + self._added

    def set(self, at: datetime) -> None:
        """Turns it to a time, from which it goes on."""
        self._added = at - datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        """Moves it on."""
        self._added += by


@attrs.frozen(kw_only=True)
class Ory:
    """The services and the ports over them. `stand_in` is None with real services, whose clock nobody sets."""

    services: OryServices
    stand_in: OryStandIn | None
    clock: MemoryClock
    issuer: str
    hook: Callable[[TokenHook | None], None]

    def identities(self, storage: Storage | None = None) -> OryIdentityProvider:
        """The port `IdentityProvider`."""
        services = self.services
        schema = AgentSchema(services.kratos_public)
        return OryIdentityProvider(
            services.kratos_public,
            services.kratos_admin,
            schema,
            storage or MemoryStorage(),
            self.clock,
            SystemRandomness(),
            BASE_URL,
        )

    def clients(self, storage: Storage) -> OryClients:
        """The port `ClientRegistry`."""
        return OryClients(self.services.hydra_admin, storage, self.clock, SystemRandomness())

    def keys(self) -> PublishedKeys:
        """The published keys, read anew."""
        return PublishedKeys(self.services.hydra_public, self.clock)

    def issuer_of_tokens(self, storage: Storage, keys: PublishedKeys) -> OryTokenIssuer:
        """The port `TokenIssuer`."""
        return OryTokenIssuer(self.services.hydra_public, keys, storage)

    def verifier(self, storage: Storage, keys: PublishedKeys, *, scopeless_have_all: bool = True) -> OryTokenVerifier:
        """The port `TokenVerifier`."""
        return OryTokenVerifier(
            admin=self.services.hydra_admin,
            keys=keys,
            storage=storage,
            clock=self.clock,
            expected=Expected.of(self.issuer, [BASE_URL]),
            scopeless_tokens_have_all=scopeless_have_all,
        )

    def relations(self) -> OryRelationStore:
        """The port `RelationStore`."""
        services = self.services
        return OryRelationStore(public=services.keto_public, admin=services.keto_admin, first_poll_s=0.001)


@asynccontextmanager
async def ory(limits: CallLimits = QUICK, *, split: bool = False) -> AsyncIterator[Ory]:
    """The services, until the context is left."""
    real = real_addresses()
    if real is not None:
        async with a_hook_server(named.hooks()) as hooks:
            with ory_services(real) as services:
                hook = functools.partial(setattr, hooks, "answer")
                yield Ory(services=services, stand_in=None, clock=RunningClock(), issuer=named.issuer(), hook=hook)
        return
    async with a_stand_in(MemoryClock(NOON), limits, split=split) as stood_in:
        yield stood_in


@asynccontextmanager
async def a_stand_in(clock: MemoryClock, limits: CallLimits = QUICK, *, split: bool = False) -> AsyncIterator[Ory]:
    """The stand-in, whatever the environment says."""
    async with an_ory(clock.now, issuer=ISSUER, split=split) as stand_in:
        with ory_services(addresses_of(stand_in), limits) as services:
            yield Ory(services=services, stand_in=stand_in, clock=clock, issuer=ISSUER, hook=stand_in.hook)


def addresses_of(stand_in: OryStandIn) -> OryAddresses:
    """Where the stand-in answers."""
    return _addresses(lambda service, side: stand_in.addresses[service, side], API_KEY)


def hook_of(storage: Storage, clients: ClientRegistry) -> TokenHook:
    """The token hook as the REST door answers it, without the door between."""

    async def hook(asked: Mapping[str, Any]) -> tuple[int, Mapping[str, Any] | None]:
        agent_id = await clients.agent_of(asked["request"]["client_id"])
        async with storage.snapshot() as work:
            agent = await work.agents.find(agent_id) if agent_id else None
        if agent is None:
            return 403, None
        told = json_value(exchanged(agent))
        return 200, told if isinstance(told, dict) else None

    return hook


def real_addresses() -> OryAddresses | None:
    """Where the real services answer; None when none are named."""
    return _addresses(lambda *side: named.addresses()[side], named.api_key()) if named.is_real() else None


def _addresses(of: Callable[[str, str], str], api_key: str | None) -> OryAddresses:
    return OryAddresses(**{f"{service}_{side}": of(service, side) for service, side in SIDES}, api_key=api_key)
