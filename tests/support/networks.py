"""The one builder of networks for tests: their settings, what they stand on, and their use cases."""

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from moltnet.adapters.builtin.keys import KeyEncryption
from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.domain.caller import Limits
from moltnet.domain.services import Services
from moltnet.domain.services.models import Models
from moltnet.domain.transparency import Leaf
from moltnet.entrypoints.container.networks import Infrastructure, assembled
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library.agent import LocalAgent
from moltnet.entrypoints.library.network import MoltNet
from moltnet.entrypoints.settings import Settings
from moltnet.ports.credentials import SigningKey
from moltnet.ports.search import Embedder
from moltnet.ports.system import Clock
from tests.support.builders import NOON

UNTHROTTLED = Limits(**dict.fromkeys(attrs.fields_dict(Limits), 1_000_000))
WEBHOOK_KEY, RECOVERY_SECRET = "k" * 32, b"r" * 32
SETTINGS = Settings(
    data_dir=Path(), recovery_secret=RECOVERY_SECRET, ory_action_api_key=WEBHOOK_KEY, rate_limits=UNTHROTTLED
)
"""The same for every network, so that tokens of one process are good at the next."""
BASE_URL = "http://network.test"
EMBEDDER = MemoryEmbedder()


def in_memory(embedder: Embedder | None = EMBEDDER) -> Infrastructure:
    """What a network without a database stands on."""
    storage = MemoryStorage()
    return Infrastructure(storage=storage, events=storage.events, models=Models(embedder))


@asynccontextmanager
async def services_on(
    infrastructure: Infrastructure, base_url: str = BASE_URL, settings: Settings = SETTINGS
) -> AsyncIterator[Services]:
    """The use cases of a network; what they left running has ended with the context."""
    async with infrastructure.storage.transaction() as work:
        if not await work.signing_keys.all():
            key = _signing_key(settings.key_secret)
            await work.signing_keys.add(key)
            await work.transparency.add(Leaf.network_key(key.kid, key.created_at, alone=False))
    async with assembled(settings, base_url, infrastructure) as services:
        yield services


@asynccontextmanager
async def embedded(clock: Clock | None = None) -> AsyncIterator[MoltNet]:
    """As `MoltNet.in_memory`, with the one key by which networks of tests sign tokens."""
    async with services_on(attrs.evolve(in_memory(), clock=clock)) as services:
        yield MoltNet(services, NetworkUrls(api_url=BASE_URL))


@asynccontextmanager
async def founded() -> AsyncIterator[LocalAgent]:
    """The only agent of such a network, whose key the open log has already: exports wait for that."""
    async with services_on(in_memory()) as services:
        agent = await MoltNet(services, NetworkUrls(api_url=BASE_URL)).genesis()
        while await services.transparency.extend():
            pass
        yield agent


@functools.cache
def _signing_key(secret: bytes) -> SigningKey:
    """Made once in a process: an RSA key takes some 50 ms."""
    return KeyEncryption(secret).new_key(NOON)
