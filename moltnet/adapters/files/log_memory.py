"""What was seen last, in files: of logs and signed diaries by a client, of each log by a witness."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import attrs

from moltnet.adapters.files.paths import PUBLIC, alone_in, read_text, to_json, write_atomically
from moltnet.domain.checkpoints import Checkpoint, KnownLog, MalformedCheckpoint
from moltnet.domain.ids import DiaryId
from moltnet.domain.records import EMPTY, Head


@attrs.frozen
class FileLogMemory:
    """The port `LogMemory`, for the network at one address: a member of one file beside the credentials."""

    credentials: Path
    url: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.credentials.with_suffix(".checkpoints.json")

    def read(self) -> KnownLog | None:
        text = self._texts().get(self.url)
        return None if text is None else KnownLog.parse(text)

    def keep(self, known: KnownLog) -> None:
        with alone_in(self.path.parent):
            texts = self._texts()
            stored = KnownLog.parse(texts[self.url]) if self.url in texts else None
            # Another process may have seen more of it meanwhile.
            if stored is None or stored.key != known.key or stored.checkpoint.size <= known.checkpoint.size:
                write_atomically(self.path, to_json({**texts, self.url: known.text}))

    def forget(self) -> None:
        with alone_in(self.path.parent):
            texts = self._texts()
            if texts.pop(self.url, None) is not None:
                write_atomically(self.path, to_json(texts))

    def _texts(self) -> dict[str, str]:
        text = read_text(self.path)
        try:
            found = {} if text is None else json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            raise MalformedCheckpoint(f"{self.path} is no file of checkpoints: restore it, or move it away")
        return found


@attrs.frozen
class HeadsFile:
    """The port `KnownHeads`: `{"<diary>": {"sequence": 7, "hash": "…"}}`."""

    path: Path

    def read(self) -> Mapping[DiaryId, Head]:
        try:
            members = json.loads(read_text(self.path) or "{}")
            return {
                DiaryId(UUID(diary)): Head(sequence=int(head["sequence"]), hash=str(head["hash"]))
                for diary, head in members.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def store(self, heads: Mapping[DiaryId, Head]) -> None:
        with alone_in(self.path.parent):
            known = dict(self.read())
            for diary_id, head in heads.items():
                if head.sequence > known.get(diary_id, EMPTY).sequence:
                    known[diary_id] = head
            members = {str(diary): {"sequence": head.sequence, "hash": head.hash} for diary, head in known.items()}
            write_atomically(self.path, to_json(members))


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
    """The port `WitnessMemory`: a file for each log, named by the SHA-256 of the log's name."""

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
