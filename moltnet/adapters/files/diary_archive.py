"""Archives of diaries on the disk: a ZIP file of JSON Lines, and the working folder in which an export makes it."""

import fcntl
import hashlib
import os
import shutil
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

import attrs

from moltnet.adapters.files.paths import SECRET, UnusablePath, private_folder
from moltnet.domain.archives import LINE_MAX, MANIFEST, MANIFEST_MAX, SIGNATURE, ArchiveUnreadable, Manifest, Part
from moltnet.domain.errors import Conflict, Invalid

CHUNK_BYTES = 1 << 20
TAIL = 100
# DEFLATE makes at most 1032 bytes of one; texts are a tenth of that apart.
RATIO_MAX, RATIO_FROM_BYTES = 200, 64 << 20
DIRECTORY_MAX = 16 << 20  # bytes of names: some 100 000 files, three for each diary
_TAIL_BYTES = 65_535 + 22 + 20  # the end of a ZIP file, with the longest comment
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_SCOPE, _LOCK, _COMPLETE = "scope.json", "lock", "archive.zip"
Encrypt = Callable[[BinaryIO, BinaryIO], None]


class ExportExists(Conflict):
    """There is a file of the name of the new one."""

    code = "EXPORT_EXISTS"

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists; name another file, since none is overwritten")


class ExportBusy(Conflict):
    """Another process is writing the same file."""

    code = "EXPORT_BUSY"

    def __init__(self, path: Path) -> None:
        super().__init__(f"another export into {path} is running; wait for it, or name another file")


class PartDamaged(Invalid):
    """A file within an archive is not what the manifest says, from a line on, or as a whole."""

    code = "PART_DAMAGED"


@attrs.frozen
class Draft:
    """The working folder of an export: it stays when the export is interrupted, and the next one continues in it."""

    path: Path
    folder: Path

    @classmethod
    @contextmanager
    def opened(cls, path: Path, scope: bytes) -> Iterator[Self]:
        """The draft of a file, with what an interrupted export of the same (`scope`) has left.

        Raises ExportExists, ExportBusy and UnusablePath.
        """
        if path.exists():
            raise ExportExists(path)
        folder = private_folder(path.with_name(f".{path.name}.part"))
        with _errors(path):
            lock = (folder / _LOCK).open("wb")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ExportBusy(path) from error
            draft = cls(path, folder)
            with _errors(path):
                draft._begin(scope)
            yield draft

    def _begin(self, scope: bytes) -> None:
        known = self.folder / _SCOPE
        if known.exists() and known.read_bytes() == scope:
            return
        for each in self.folder.iterdir():
            if each.name != _LOCK:
                each.unlink()
        known.write_bytes(scope)

    def resume(self, name: str) -> tuple[int, list[bytes]]:
        """How many lines a file has, and the last hundred of them; half a line at its end is cut off."""
        count, size, last = 0, 0, deque[bytes](maxlen=TAIL)
        with _errors(self.path), self._file(name).open("a+b") as file:
            file.seek(0)
            while (line := file.readline()).endswith(b"\n"):
                count, size = count + 1, size + len(line)
                last.append(line)
            file.truncate(size)
        return count, list(last)

    def append(self, name: str, lines: Iterable[bytes]) -> None:
        """Adds lines to a file."""
        with _errors(self.path), self._file(name).open("ab") as file:
            file.writelines(lines)

    def replace(self, name: str, lines: Iterable[bytes]) -> None:
        """Writes a file anew."""
        with _errors(self.path), self._file(name).open("wb") as file:
            file.writelines(lines)

    def lines(self, name: str) -> Iterator[bytes]:
        """All lines of a file."""
        with _errors(self.path), self._file(name).open("rb") as file:
            yield from file

    def part(self, name: str) -> Part:
        """What the manifest says of a file."""
        digest, lines, size = hashlib.sha256(), 0, 0
        with self._file(name).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                lines += chunk.count(b"\n")
                size += len(chunk)
        return Part(name=name, lines=lines, size=size, hash=digest.hexdigest())

    def finish(
        self, manifest: bytes, signature: bytes | None, names: Iterable[str], encrypt: Encrypt | None = None
    ) -> int:
        """Makes the file of it, whole and on the disk, and removes the folder; answers its size in bytes."""
        with _errors(self.path):
            return self._finish(manifest, signature, names, encrypt)

    def _finish(self, manifest: bytes, signature: bytes | None, names: Iterable[str], encrypt: Encrypt | None) -> int:
        complete = self.folder / _COMPLETE
        with zipfile.ZipFile(complete, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(MANIFEST), manifest)
            if signature is not None:
                archive.writestr(zipfile.ZipInfo(SIGNATURE), signature)
            for name in names:
                self._add(archive, name)
        if encrypt is not None:
            plain, complete = complete, self.folder / f"{_COMPLETE}.age"
            with plain.open("rb") as source, complete.open("wb") as target:
                encrypt(source, target)
        with complete.open("rb") as file:
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        complete.chmod(SECRET)
        try:
            os.link(complete, self.path)  # unlike renaming, it fails if there is a file of that name by now
        except FileExistsError as error:
            raise ExportExists(self.path) from error
        shutil.rmtree(self.folder)
        return size

    def _add(self, archive: zipfile.ZipFile, name: str) -> None:
        member = zipfile.ZipInfo(name)
        member.compress_type = zipfile.ZIP_DEFLATED
        with self._file(name).open("rb") as source, archive.open(member, "w", force_zip64=True) as target:
            shutil.copyfileobj(source, target, CHUNK_BYTES)

    def _file(self, name: str) -> Path:
        return self.folder / name.replace("/", "-")


@attrs.frozen
class ArchiveFile:
    """An archive that is read. Nothing is ever unpacked: members are read by the names that the manifest has."""

    manifest: Manifest
    payload: bytes
    signature: bytes | None
    _zip: zipfile.ZipFile

    @classmethod
    @contextmanager
    def opened(cls, file: BinaryIO) -> Iterator[Self]:
        """The archive in a file; raises ArchiveUnreadable."""
        with _readable():
            _check_directory(file)
            archive = zipfile.ZipFile(file)
        with archive:
            with _readable():
                for member in archive.infolist():
                    _check_member(member)
                payload, signature = _small(archive, MANIFEST), _small(archive, SIGNATURE)
            if payload is None:
                raise ArchiveUnreadable(f"it has no {MANIFEST}: it is no archive of diaries, or not a whole one")
            yield cls(Manifest.parse(payload), payload, signature, archive)

    def lines(self, part: Part) -> Iterator[bytes]:
        """The lines of a part, in their order; raises PartDamaged where or when it is not what the manifest says."""
        digest, count, size = hashlib.sha256(), 0, 0
        try:
            with self._zip.open(part.name) as file:
                while line := file.readline(LINE_MAX + 1):
                    count, size = count + 1, size + len(line)
                    if len(line) > LINE_MAX or size > part.size or not line.endswith(b"\n"):
                        raise PartDamaged(f"it is damaged from line {count} on: it is longer than it should be, or cut")
                    digest.update(line)
                    yield line
        except KeyError:
            raise PartDamaged("it is missing") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise PartDamaged(f"it is damaged from line {count + 1} on ({error})") from error
        if (count, size, digest.hexdigest()) != (part.lines, part.size, part.hash):
            raise PartDamaged("its lines are not those of the manifest: some were changed, added, moved or left out")


def _check_directory(file: BinaryIO) -> None:
    """Raises ArchiveUnreadable for more files than any archive has: `zipfile` reads the names of all into memory."""
    file.seek(-min(_TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) < end + 16:
        return  # none at all, which is found there
    size = int.from_bytes(tail[end + 12 : end + 16], "little")
    if tail[max(0, end - 20) : max(0, end - 16)] == b"PK\6\7":  # more than 4 GB: the size is in a record of its own
        file.seek(int.from_bytes(tail[end - 12 : end - 4], "little"))
        size = int.from_bytes(file.read(48)[40:], "little")
    if size > DIRECTORY_MAX:
        raise ArchiveUnreadable("it has more files than any archive has")


def _check_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 1 or member.compress_type not in _METHODS:
        raise ArchiveUnreadable("it is a ZIP file with a passphrase or with another compression than archives have")
    if member.file_size > max(RATIO_FROM_BYTES, RATIO_MAX * member.compress_size):
        raise ArchiveUnreadable(f"{member.filename!a} would become {member.file_size} bytes, which no archive does")


def _small(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """A whole member of which at most as much as a manifest may have is read; None where there is none."""
    try:
        with archive.open(name) as file:
            content = file.read(MANIFEST_MAX + 1)
    except KeyError:
        return None
    if len(content) > MANIFEST_MAX:
        raise ArchiveUnreadable(f"{name} has more than {MANIFEST_MAX} bytes")
    return content


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ArchiveUnreadable(f"it is no ZIP file, or a damaged one ({error})") from error


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnusablePath(path, error) from error
