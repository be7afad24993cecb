"""The keys that sign tokens, and the secret that seals them: replaced by the operator, while servers run or not."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import attrs

from moltnet.adapters.builtin.keys import KeyEncryption, SigningKeyUnreadable, TokenKeys, reseal
from moltnet.adapters.system.clock import SystemClock
from moltnet.domain.errors import Invalid
from moltnet.entrypoints.container.databases import database
from moltnet.entrypoints.settings import MIN_SECRET, RECOVERY_SECRET, Settings, stored_secret
from moltnet.ports.storage import Storage

_FILE = RECOVERY_SECRET.lower()
_NEXT = f"{_FILE}.next"


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
    async with _storage(settings) as storage:
        keys = TokenKeys(storage, SystemClock(), KeyEncryption(settings.key_secret))
        with secret_named():
            return await (keys.replace() if leaked else keys.rotate())


async def replace_secret(settings: Settings, file: Path | None) -> Path | None:
    """Seals the signing keys with a new secret; answers the file in the data folder that has it from now on.

    None where the operator sets the secret: then the new one is that in `file`. May be repeated if it was interrupted.
    Raises NoNewSecret, and SigningKeyUnreadable when the present secret is not the one they were sealed with.
    """
    path = settings.data_dir / _FILE
    is_stored = settings.database_url is None and _text(path) == settings.recovery_secret.decode("utf-8", "replace")
    new = _text(file) if file is not None else ""
    if is_stored and file is None:
        # Kept before anything is sealed with it: whatever happens then, it is not lost.
        new = stored_secret(settings.data_dir, _NEXT)
    if len(new) < MIN_SECRET:
        raise NoNewSecret
    after = attrs.evolve(settings, recovery_secret=new.encode("utf-8", "surrogateescape"))
    async with _storage(settings) as storage:
        with secret_named():
            await reseal(storage, KeyEncryption(settings.key_secret), KeyEncryption(after.key_secret))
    if not is_stored or file is not None:
        return None
    (settings.data_dir / _NEXT).replace(path)
    return path


@asynccontextmanager
async def _storage(settings: Settings) -> AsyncIterator[Storage]:
    from moltnet.adapters.postgres.migrate import migrate  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    with database(settings) as address:
        await migrate(address)
        async with PostgresStorage.open(address, max_connections=2) as storage:
            yield storage


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
