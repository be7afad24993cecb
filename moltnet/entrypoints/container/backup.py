"""A network's backup: one state of its database, and the secrets beside it if a passphrase encrypts them."""

import asyncio
import importlib.metadata
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import attrs

from moltnet.adapters.builtin.keys import SigningKeyUnreadable
from moltnet.adapters.files import archive
from moltnet.adapters.files.archive import ArchiveDamaged
from moltnet.adapters.files.paths import to_json, write_atomically
from moltnet.adapters.nacl import decrypt, encrypt
from moltnet.domain.errors import Invalid
from moltnet.entrypoints.container.administration import token_keys
from moltnet.entrypoints.container.databases import database, migrate_all, stored
from moltnet.entrypoints.settings import FIRST_AGENT, RECOVERY_SECRET, WEBHOOK_KEY, Settings

MANIFEST, DATABASE, WORKFLOWS = "manifest.json", "database.dump", "workflows.dump"
SECRETS_FILE = "secrets.encrypted"
FORMAT = 1
MIN_PASSPHRASE = 12
GENESIS = "genesis"
Progress = Callable[[int], object]


class PassphraseUnusable(Invalid):
    """A passphrase is short, or its file cannot be read."""

    code = "PASSPHRASE_UNUSABLE"
    sentence = f"The passphrase file must be readable, with one passphrase of at least {MIN_PASSPHRASE} bytes"


class NoSecretsInBackup(Invalid):
    """A passphrase was named for a backup without secrets."""

    code = "NO_SECRETS_IN_BACKUP"
    sentence = "This backup was made without the secrets: restore it without --passphrase-file"


class WorkflowsElsewhere(Invalid):
    """The backup has workflows of a database of their own, and there is none for them here."""

    code = "WORKFLOWS_ELSEWHERE"
    sentence = (
        "The workflows of this backup were in a database of their own: name an empty one for them with "
        "MOLTNET_WORKFLOWS_DATABASE_URL"
    )


@attrs.frozen(kw_only=True)
class Manifest:
    """What a backup says about itself. Every write acknowledged before `as_of`, by the database's clock, is in it."""

    format: int
    moltnet: str
    as_of: datetime
    postgres: int
    migrations: tuple[str, ...]
    has_secrets: bool
    has_workflows: bool = False

    @property
    def text(self) -> str:
        """As JSON."""
        members = attrs.asdict(self) | {"as_of": self.as_of.isoformat()}
        return to_json(members)

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """That of a file. Raises ArchiveDamaged, also for a form that only later versions know."""
        try:
            members = json.loads(archive.content(path, MANIFEST))
            as_of = datetime.fromisoformat(members["as_of"])
            manifest = cls(**members | {"as_of": as_of, "migrations": tuple(members["migrations"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ArchiveDamaged(path, f"its {MANIFEST} is of a later version, or malformed") from error
        if manifest.format != FORMAT:
            raise ArchiveDamaged(path, f"it has format {manifest.format}, which a later version of MoltNet reads")
        return manifest


def read_passphrase(file: Path | None) -> bytes | None:
    """The passphrase in a file, without the white space around it. Raises PassphraseUnusable."""
    if file is None:
        return None
    try:
        passphrase = file.read_bytes().strip()
    except OSError as error:
        raise PassphraseUnusable from error
    if len(passphrase) < MIN_PASSPHRASE:
        raise PassphraseUnusable
    return passphrase


async def back_up(settings: Settings, path: Path, passphrase: bytes | None, progress: Progress) -> Manifest:
    """Writes a backup into a new file, while servers go on; `progress` is told of each number of bytes.

    Raises ArchiveExists, ArchiveUnusable, ProgramFailed and SchemaUnusable; then there is no file.
    """
    from moltnet.adapters.postgres.backup import marked_state  # noqa: PLC0415  # heavy

    with database(settings) as address:
        async with marked_state(address) as state:
            manifest = Manifest(
                format=FORMAT,
                moltnet=importlib.metadata.version("moltnet"),
                as_of=state.as_of,
                postgres=state.major,
                migrations=state.migrations,
                has_secrets=passphrase is not None,
                has_workflows=settings.workflows_url is not None,
            )
            with archive.written(path) as writer:
                writer.add(MANIFEST, manifest.text.encode())
                if passphrase is not None:
                    writer.add(SECRETS_FILE, encrypt(json.dumps(_secrets(settings)).encode(), passphrase))
                with writer.member(DATABASE) as write:
                    await state.dump(lambda chunk: progress(write(chunk)))
                if settings.workflows_url is not None:
                    # Later than the network: a workflow without its request ends by itself, and not the other way.
                    async with marked_state(settings.workflows_url, is_network=False) as workflows:
                        with writer.member(WORKFLOWS) as write:
                            await workflows.dump(lambda chunk: progress(write(chunk)))
    return manifest


async def verify(path: Path, passphrase: bytes | None, progress: Progress) -> Manifest:
    """Reads the whole file, its dump with PostgreSQL's own program, and its secrets if there is a passphrase.

    Raises ArchiveDamaged, ArchiveUnusable, NoSecretsInBackup, PassphraseWrong and ProgramFailed.
    """
    from moltnet.adapters.postgres.backup import require_readable  # noqa: PLC0415  # heavy

    await asyncio.to_thread(archive.verify, path, progress)
    manifest = Manifest.read(path)
    _decrypted(path, manifest, passphrase)
    for name in (DATABASE, WORKFLOWS) if manifest.has_workflows else (DATABASE,):
        await require_readable(archive.chunks(path, name), progress)
    return manifest


@attrs.frozen
class Restored:
    """A network that was restored; whether the secret that is set decrypts the keys that its tokens are signed with."""

    manifest: Manifest
    has_keys: bool


async def restore(settings: Settings, path: Path, passphrase: bytes | None, progress: Progress) -> Restored:
    """Fills an empty database from a backup that was verified, and puts its secrets into the data folder.

    Raises as `verify`, DatabaseNotEmpty, and SchemaUnusable for a backup of a later version.
    """
    from moltnet.adapters.postgres import backup as database_backup  # noqa: PLC0415  # heavy

    await asyncio.to_thread(archive.verify, path, lambda _: None)
    manifest = Manifest.read(path)
    database_backup.require_known(manifest.migrations)
    secrets = _decrypted(path, manifest, passphrase)
    with database(settings) as address:
        await database_backup.require_empty(address)
        if manifest.has_workflows:
            if settings.workflows_url is None:
                raise WorkflowsElsewhere
            await database_backup.require_empty(settings.workflows_url)
        _write_secrets(settings, secrets)
        if settings.workflows_url is not None and manifest.has_workflows:
            await database_backup.restore(settings.workflows_url, archive.chunks(path, WORKFLOWS), progress)
        await database_backup.restore(address, archive.chunks(path, DATABASE), progress)
        await migrate_all(settings)
        return Restored(manifest, await _has_keys(settings, secrets))


def _secrets(settings: Settings) -> dict[str, str]:
    """The files of the data folder that open something, by their paths in it."""
    secrets = {
        RECOVERY_SECRET.lower(): settings.recovery_secret.decode("utf-8", "surrogateescape"),
        WEBHOOK_KEY.lower(): settings.ory_action_api_key,
    }
    for folder in (FIRST_AGENT, GENESIS):
        for file in sorted((settings.data_dir / folder).glob("*")):
            with suppress(OSError, UnicodeDecodeError):  # a draft that is gone, or nothing of ours
                secrets[f"{folder}/{file.name}"] = file.read_text(encoding="utf-8")
    return secrets


def _decrypted(path: Path, manifest: Manifest, passphrase: bytes | None) -> dict[str, str]:
    """The secrets of a backup; none without a passphrase."""
    if passphrase is None:
        return {}
    if not manifest.has_secrets:
        raise NoSecretsInBackup
    secrets: dict[str, str] = json.loads(decrypt(archive.content(path, SECRETS_FILE), passphrase))
    return secrets


def _write_secrets(settings: Settings, secrets: dict[str, str]) -> None:
    for name, text in secrets.items():
        write_atomically(settings.data_dir / name, text)


async def _has_keys(settings: Settings, secrets: dict[str, str]) -> bool:
    if settings.ory is not None:
        return True
    if settings.database_url is None and (secret := secrets.get(RECOVERY_SECRET.lower())):
        settings = attrs.evolve(settings, recovery_secret=secret.encode("utf-8", "surrogateescape"))
    async with stored(settings) as storage:
        try:
            await token_keys(settings, storage).published()
        except SigningKeyUnreadable:
            return False
    return True
