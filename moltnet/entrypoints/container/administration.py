"""What an operator does beside the running servers: looks at the parts, replaces keys and secrets, moves into Ory."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from moltnet.adapters.builtin.identity import StoredClientDirectory
from moltnet.adapters.builtin.keys import KeyEncryption, SigningKeyUnreadable, TokenKeys, reseal
from moltnet.adapters.builtin.tokens import BuiltinClients
from moltnet.adapters.system import SystemClock, SystemRandomness
from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.errors import Invalid
from moltnet.domain.indexing import EmbedderUnavailable
from moltnet.domain.services.audit import AuditService
from moltnet.domain.services.relations import RelationDelivery
from moltnet.domain.services.relocation import RelocationService
from moltnet.entrypoints.container.databases import database, stored
from moltnet.entrypoints.container.models import ModelDirectories
from moltnet.entrypoints.container.ory import ory_of, ory_opened
from moltnet.entrypoints.environment import SettingsInvalid, stored_secret
from moltnet.entrypoints.ory_settings import ORY_PROJECT
from moltnet.entrypoints.settings import MIN_SECRET, RECOVERY_SECRET, Settings
from moltnet.ports.storage import Storage

if TYPE_CHECKING:
    from moltnet.adapters.ory.health_check import OryHealthCheck
    from moltnet.adapters.postgres.health_check import DatabaseHealthCheck

_FILE = RECOVERY_SECRET.lower()
_NEXT = f"{_FILE}.next"


@attrs.frozen
class HealthCheck:
    """The parts an operator can get wrong; each method answers what was seen or raises an error with advice."""

    settings: Settings
    database: "DatabaseHealthCheck"
    ory: "OryHealthCheck | None"
    _storage: Callable[[], AbstractAsyncContextManager[Storage]]

    async def keys(self) -> str:
        """That the keys tokens are signed with can be opened with this server's secret."""
        async with self._storage() as storage:
            with secret_named():
                return f"{len(await token_keys(self.settings, storage).published())} published"

    async def identity(self) -> str:
        """That the identity service answers."""
        async with self._storage() as storage, storage.autocommit() as work:
            empty = not await work.agents.any()
        return "native; nobody is there yet" if empty else "native; agents are there"

    async def recovery(self) -> str:
        """That Kratos lets an agent recover, from its code to its session."""
        assert self.ory is not None  # noqa: S101  # asked of a network with Ory alone
        async with self._storage() as storage:
            return await self.ory.recovery(storage)

    async def serving(self) -> str:
        """That the model which serves the network is here."""
        async with self._storage() as storage, storage.autocommit() as work:
            reference = (await work.models.state()).serving
        if reference is None:
            return "none yet: the first server brings its own"
        loader = ModelDirectories.of(self.settings, 1)
        try:
            found = (await loader.load(reference)).model
        finally:
            await loader.aclose()
        if found != reference.name:
            raise EmbedderUnavailable(
                f"The model {reference.name} is gone: a server that starts will switch to {found}"
            )
        return found

    async def replica(self) -> str:
        """That the replica, if one is set, follows the database."""
        assert self.settings.replica_url is not None  # noqa: S101  # asked where one is set
        return await self.database.replica(self.settings.replica_url)

    async def model(self) -> str:
        """That the embedding model is there and computes."""
        loader = ModelDirectories.of(self.settings, 1)
        try:
            _, embedder = await loader.preferred()
            await embedder.embed_query("does it compute?")
            await embedder.expand_query("does it compute?")
        finally:
            await loader.aclose()
        return embedder.model


@asynccontextmanager
async def health_check(settings: Settings) -> AsyncIterator[HealthCheck]:
    """Everything there is to look at, without changing it; the embedded database is started if need be."""
    from moltnet.adapters.postgres.health_check import DatabaseHealthCheck  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    with database(settings) as address, ory_of(settings.ory) as ory:
        storage = partial(PostgresStorage.open, address, max_connections=2)
        checks = ory.health_check(SystemClock(), SystemRandomness()) if ory else None
        yield HealthCheck(settings, DatabaseHealthCheck(address), checks, storage)


class KeysElsewhere(Invalid):
    """Tokens of this network are signed by another service."""

    code = "KEYS_ELSEWHERE"
    sentence = "Hydra signs this network's tokens: rotate its key set hydra.jwt.access-token there"


class NoNewSecret(Invalid):
    """The secret is set by the operator, who has to say what the new one is."""

    code = "NO_NEW_SECRET"
    sentence = (
        f"{RECOVERY_SECRET} is set in the environment, so it is not replaced here: write a new secret of at least "
        f"{MIN_SECRET} characters into a file, as by 'openssl rand -hex 32', and name it with --to FILE"
    )


async def rotate_keys(settings: Settings, *, leaked: bool) -> str:
    """Makes a new signing key, whose id is the answer; the others verify until their tokens end.

    They are removed at once when one has `leaked`. Raises KeysElsewhere.
    """
    if settings.ory is not None:
        raise KeysElsewhere
    async with stored(settings) as storage:
        keys = token_keys(settings, storage)
        with secret_named():
            kid = await (keys.replace() if leaked else keys.rotate())
        await _audit(storage, AuditAction.SIGNING_KEY_REPLACED, kid)
    return kid


async def replace_secret(settings: Settings, file: Path | None) -> Path | None:
    """Seals the signing keys with a new secret; answers the file in the data folder that has it from now on.

    None where the operator sets the secret: then the new one is that in `file`. May be repeated if it was interrupted.
    Raises NoNewSecret, and SigningKeyUnreadable when the present secret is not the one they were sealed with.
    """
    path = settings.data_dir / _FILE
    is_stored = settings.database_url is None and _text(path) == settings.recovery_secret.decode("utf-8", "replace")
    new = _text(file) if file is not None else ""
    if is_stored and file is None:
        # Stored before anything is sealed with it: whatever happens then, it is not lost.
        new = stored_secret(settings.data_dir, _NEXT)
    if len(new) < MIN_SECRET:
        raise NoNewSecret
    after = attrs.evolve(settings, recovery_secret=new.encode("utf-8", "surrogateescape"))
    async with stored(settings) as storage:
        with secret_named():
            await reseal(storage, KeyEncryption(settings.key_secret), KeyEncryption(after.key_secret))
        await _audit(storage, AuditAction.NETWORK_SECRET_REPLACED)
    if not is_stored or file is not None:
        return None
    (settings.data_dir / _NEXT).replace(path)
    return path


async def _audit(storage: Storage, action: AuditAction, detail: str | None = None) -> None:
    async with storage.autocommit() as work:
        await work.audit.add(AuditEvent(at=SystemClock().now(), action=action, detail=detail))


async def audit_events(settings: Settings, since: datetime | None) -> AsyncGenerator[AuditEvent]:
    """Every event of the audit log, oldest first."""
    async with stored(settings) as storage, aclosing(AuditService(storage=storage).all(since)) as events:
        async for event in events:
            yield event


def token_keys(settings: Settings, storage: Storage) -> TokenKeys:
    """The keys that sign the tokens of a network in the database."""
    return TokenKeys(storage=storage, clock=SystemClock(), seal=KeyEncryption(settings.key_secret))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


@contextmanager
def secret_named() -> Iterator[None]:
    """Says which setting opens the keys: only here it is known."""
    try:
        yield
    except SigningKeyUnreadable as error:
        raise SigningKeyUnreadable(
            f"{RECOVERY_SECRET} is not the one that the token signing keys in the database were sealed with: "
            "restore it from a backup (with the embedded database it is a file in the data folder), finish an "
            "interrupted 'moltnet keys replace-secret', or run 'moltnet keys rotate --now' to begin with a new key"
        ) from error


@asynccontextmanager
async def relocation(settings: Settings) -> AsyncIterator[RelocationService]:
    """The way between the database and the Ory that is set up. Raises SettingsInvalid when none is."""
    if settings.ory is None:
        raise SettingsInvalid(
            [f"{ORY_PROJECT}: required, or the six addresses of Ory: there is nowhere to move to or from"]
        )
    clock, randomness = SystemClock(), SystemRandomness()
    with ory_opened(settings.ory) as ory:
        relations = ory.relation_store()
        async with stored(settings) as storage:
            yield RelocationService(
                storage=storage,
                identities=ory.identities(
                    storage=storage, clock=clock, randomness=randomness, base_url=settings.url(settings.port)
                ),
                clients=ory.clients(storage=storage, clock=clock, randomness=randomness),
                relations=relations,
                delivery=RelationDelivery(storage=storage, store=relations, clock=clock),
                builtin_clients=BuiltinClients(storage, clock, randomness, StoredClientDirectory(storage)),
                clock=clock,
                randomness=randomness,
            )
