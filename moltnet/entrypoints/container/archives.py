"""Archives of diaries, and other files to import from. Nothing of a server is imported."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from moltnet.adapters import age
from moltnet.adapters.files.diary_archive import ArchiveFile as ArchiveFile  # noqa: PLC0414  # rooms above name it
from moltnet.adapters.files.diary_archive import Draft as Draft  # noqa: PLC0414  # same
from moltnet.adapters.files.diary_archive import Encrypt
from moltnet.adapters.files.diary_archive import PartDamaged as PartDamaged  # noqa: PLC0414  # same
from moltnet.adapters.files.other_programs import private_pem, public_line
from moltnet.adapters.files.paths import UnusablePath
from moltnet.ports.keys import KeyPair


def draft(path: Path, scope: bytes) -> AbstractContextManager[Draft]:
    """The working folder of an export into a file."""
    return Draft.opened(path, scope)


def encryption(recipients: Sequence[str], keys: KeyPair | None) -> Encrypt | None:
    """What encrypts for these, `self` being the agent's own key; None for nobody. Raises AgeMissing, BadRecipient."""
    if not recipients:
        return None
    named = [public_line(keys.public_key.text) if each == "self" and keys else each for each in recipients]
    age.check_recipients(named)
    return partial(age.encrypt, recipients=named)


@contextmanager
def archive(path: Path, identities: Sequence[Path], keys: KeyPair | None) -> Iterator[ArchiveFile]:
    """The archive in a file, decrypted into a nameless one if need be, with these keys or the agent's own.

    Raises ArchiveUnreadable, AgeMissing, BadIdentity, NotDecrypted and UnusablePath.
    """
    with _opened(path) as file:
        if not _is_encrypted(file):
            with ArchiveFile.opened(file) as opened:
                yield opened
            return
        secrets = [_read(each) for each in identities]
        if keys is not None:
            secrets.append(private_pem(keys.seed_text, keys.public_key.text))
        with tempfile.TemporaryFile() as plain:
            age.decrypt(file, cast("BinaryIO", plain), secrets)
            with ArchiveFile.opened(cast("BinaryIO", plain)) as opened:
                yield opened


def is_archive(path: Path) -> bool:
    """Whether a file looks like an archive: a ZIP file, or one that is encrypted."""
    with _opened(path) as file:
        return _is_encrypted(file) or file.read(4) == b"PK\x03\x04"


def _is_encrypted(file: BinaryIO) -> bool:
    start = file.read(len(age.HEADER))
    file.seek(0)
    return start == age.HEADER


def _read(path: Path) -> str:
    with _opened(path) as file:
        return file.read(65_536).decode("utf-8", "replace")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnusablePath(path, error) from error
    with file:
        yield file
