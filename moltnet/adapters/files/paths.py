"""Writing files that hold secrets: whole or not at all, and for nobody but their owner."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from moltnet.domain.errors import Unavailable

SECRET, PUBLIC = 0o600, 0o644
PRIVATE_FOLDER = 0o700


class UnusablePath(Unavailable):
    """A file or folder of the agent's own cannot be read or written."""

    code = "PLACE_UNUSABLE"

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path}: {error.strerror}; make it readable and writable for this user, or name another")


def private_folder(folder: Path) -> Path:
    """The folder, made with its parents if need be; new ones are for their owner alone. Raises UnusablePath."""
    try:
        for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
            missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    except OSError as error:
        raise UnusablePath(folder, error) from error
    return folder


def write_atomically(path: Path, text: str, mode: int = SECRET) -> None:
    """Replaces a file so that a crash at any moment leaves the old text or the new one. Raises UnusablePath.

    A link is followed: what it points at is replaced, not the link.
    """
    target = Path(os.path.realpath(path))
    private_folder(target.parent)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        # Never readable by others, not even before the mode is set: a draft is made with the mode it will have.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise UnusablePath(path, error) from error


def read_text(path: Path) -> str | None:
    """The text of a file; None when there is none. Raises UnusablePath."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusablePath(path, error) from error


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """While it lasts, no other process is alone in the folder: what is read in it is still so when it is written.

    Raises UnusablePath.
    """
    private_folder(folder)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UnusablePath(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def set_aside(path: Path) -> Path:
    """Keeps a copy of a file beside it, under the first free name `<name>.bak`, `<name>.bak.2`, …; answers where."""
    text = read_text(path) or ""
    number = 1
    while True:
        copy = path.with_name(f"{path.name}.bak" if number == 1 else f"{path.name}.bak.{number}")
        if not copy.exists():
            write_atomically(copy, text)
            return copy
        number += 1


def _sync_folder(folder: Path) -> None:
    # A rename survives a power cut once its folder was written too.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def to_json(value: object) -> str:
    """JSON as these files have it: two spaces of indent and a final newline."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
