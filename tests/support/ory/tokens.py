"""The token service of Ory over a storage."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from moltnet.domain.credentials import ALL_SCOPES
from moltnet.ports.storage import Storage
from tests.support.ory.ports import hook_of, ory
from tests.support.tokens import TokenService


@asynccontextmanager
async def ory_tokens(storage: Storage) -> AsyncIterator[TokenService]:
    """Hydra, with the token hook that the network answers; `strict_verifier` gives tokens without scopes none."""
    async with ory() as services:
        clients, keys = services.clients(storage), services.keys()
        services.hook(hook_of(storage, clients))
        yield TokenService(
            clock=services.clock,
            clients=clients,
            issuer=services.issuer_of_tokens(storage, keys),
            verifier=services.verifier(storage, keys),
            strict_verifier=services.verifier(storage, keys, scopeless_have_all=False),
            told_lifetime=timedelta(seconds=3599),
            unasked_scopes=ALL_SCOPES,
            instant=timedelta(microseconds=1) if services.stand_in else timedelta(seconds=5),
        )
