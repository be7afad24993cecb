"""A backup as one file: a tar archive, and behind it a line with the SHA-256 of all that comes before.

`tar` unpacks it, since what follows an archive's end is ignored; here every byte of the file is checked.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import attrs

from moltnet.adapters.files.paths import SECRET
from moltnet.domain.errors import Conflict, Invalid

CHUNK_BYTES = 1 << 20
ENDING = 2 * tarfile.BLOCKSIZE  # zeros, the end of an archive
CHECKSUM = b"sha256 %s\n"
CHECKSUM_BYTES = len(CHECKSUM % (b"0" * 64))
Progress = Callable[[int], object]


class ArchiveDamaged(Invalid):
    """A file is not a backup, or not as it was written."""

    code = "ARCHIVE_DAMAGED"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is not a usable backup: {reason}")


class ArchiveExists(Conflict):
    """There is a file of the name of the new one; a backup is never overwritten."""

    code = "ARCHIVE_EXISTS"

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists; choose another name, since a backup is never overwritten")


class ArchiveUnusable(Invalid):
    """A file cannot be read or written."""

    code = "ARCHIVE_UNUSABLE"

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path}: {error.strerror or error}")


@attrs.frozen
class ArchiveWriter:
    """Adds members, one after the other."""

    _file: BinaryIO

    def add(self, name: str, content: bytes) -> None:
        """Adds a whole member."""
        with self.member(name) as write:
            write(content)

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes], int]]:
        """Adds what is written within the block; its size need not be known before."""
        header = self._file.seek(0, os.SEEK_END)
        self._file.write(b"\0" * tarfile.BLOCKSIZE)
        yield self._file.write
        end = self._file.seek(0, os.SEEK_END)
        self._file.write(b"\0" * (-end % tarfile.BLOCKSIZE))
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = end - header - tarfile.BLOCKSIZE, SECRET
        self._file.seek(header)
        self._file.write(entry.tobuf(tarfile.GNU_FORMAT))
        self._file.seek(0, os.SEEK_END)


@contextmanager
def written(path: Path) -> Iterator[ArchiveWriter]:
    """Writes a new file for its owner alone; it has its name once it is complete and on the disk.

    Raises ArchiveExists, and ArchiveUnusable also for a disk that becomes full.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        if path.exists():
            raise ArchiveExists(path)
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, SECRET), "w+b") as file:
            yield ArchiveWriter(file)
            file.write(b"\0" * ENDING)
            file.seek(0)
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
            file.write(CHECKSUM % checksum.encode())
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike renaming, it fails if there is a file of that name by now
    except FileExistsError as error:
        raise ArchiveExists(path) from error
    except OSError as error:
        raise ArchiveUnusable(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def verify(path: Path, progress: Progress) -> None:
    """Compares every byte with the checksum; `progress` is told how many more were read.

    Raises ArchiveDamaged, and ArchiveUnusable.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            left = os.fstat(file.fileno()).st_size - CHECKSUM_BYTES
            while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
                digest.update(chunk)
                left -= len(chunk)
                progress(len(chunk))
            if file.read() != CHECKSUM % digest.hexdigest().encode():
                raise ArchiveDamaged(path, "its checksum is wrong, so it was changed or is not complete")
    except OSError as error:
        raise ArchiveUnusable(path, error) from error


def content(path: Path, name: str) -> bytes:
    """A whole member. Raises ArchiveDamaged when there is none."""
    return b"".join(chunks(path, name))


def chunks(path: Path, name: str) -> Iterator[bytes]:
    """A member piece by piece. Raises ArchiveDamaged when there is none."""
    with _opened(path) as archive:
        try:
            file = archive.extractfile(name)
        except KeyError:
            file = None
        if file is None:
            raise ArchiveDamaged(path, f"it has no {name}")
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:") as archive:
            yield archive
    except tarfile.TarError as error:
        raise ArchiveDamaged(path, str(error)) from error
    except OSError as error:
        raise ArchiveUnusable(path, error) from error
