"""The adapters over the stand-in, whatever the environment names: these tests break it."""

from collections.abc import AsyncIterator

import attrs
import pytest

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.ory.tokens import OryTokenVerifier
from moltnet.domain.agents import Agent
from moltnet.domain.credentials import ALL_SCOPES, ClientSecret
from moltnet.domain.ids import ClientId
from tests.support.builders import NOON, an_id
from tests.support.ory.ports import Ory, a_stand_in
from tests.support.ory.server import OryStandIn
from tests.support.stored import joined


@pytest.fixture
def clock() -> MemoryClock:
    """Ours and Ory's."""
    return MemoryClock(NOON)


@pytest.fixture
async def services(clock: MemoryClock) -> AsyncIterator[Ory]:
    """The adapters."""
    async with a_stand_in(clock) as services:
        yield services


@pytest.fixture
def stand_in(services: Ory) -> OryStandIn:
    """What they speak to."""
    assert services.stand_in is not None
    return services.stand_in


@attrs.frozen(kw_only=True)
class Holder:
    """An agent with a client in Hydra, and who verifies its tokens."""

    storage: MemoryStorage
    agent: Agent
    secret: ClientSecret
    verifier: OryTokenVerifier

    @property
    def client_id(self) -> str:
        """Its client's id, as tokens say it."""
        return str(self.secret.client_id)


@pytest.fixture
async def holder(services: Ory, stand_in: OryStandIn) -> Holder:
    """A member, whose client was made at NOON."""
    storage = MemoryStorage()
    agent = await joined(storage)
    secret = await services.clients(storage).create(ClientId(an_id()), agent, ALL_SCOPES)
    stand_in.faults.calls.clear()
    verifier = services.verifier(storage, services.keys())
    return Holder(storage=storage, agent=agent, secret=secret, verifier=verifier)
