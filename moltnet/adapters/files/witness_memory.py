"""What a witness has signed last of each log: a file for each, named by the SHA-256 of the log's name."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from moltnet.adapters.files.paths import PUBLIC, alone_in, read_text, write_atomically
from moltnet.domain.checkpoints import Checkpoint


@attrs.frozen
class FileLastSigned:
    """The port `LastSigned`."""

    path: Path

    def read(self) -> Checkpoint | None:
        text = read_text(self.path)
        return None if text is None else Checkpoint.parse(text)

    def keep(self, checkpoint: Checkpoint) -> None:
        write_atomically(self.path, checkpoint.text, PUBLIC)


@attrs.frozen
class FileWitnessMemory:
    """The port `WitnessMemory`, in a folder."""

    folder: Path

    @contextmanager
    def alone(self, origin: str) -> Iterator[FileLastSigned]:
        with alone_in(self.folder):
            yield self.of(origin_hash(origin))

    def of(self, name: str) -> FileLastSigned:
        """The file of a log, by the hash of its name."""
        return FileLastSigned(self.folder / f"{name}.checkpoint")


def origin_hash(origin: str) -> str:
    """The hash that a log is asked for by."""
    return hashlib.sha256(origin.encode()).hexdigest()
