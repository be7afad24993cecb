"""Archives of diaries: one file that another network can take in, and that anybody can check.

docs/reference/archive.md has the format.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import attrs

from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import DiaryId, parse_uuid
from moltnet.domain.keys import MalformedKey, PublicKey
from moltnet.domain.records import HASH_LENGTH, Head, time_text

FORMAT, VERSION = "moltnet-archive", 1
PAYLOAD_TYPE = "application/vnd.moltnet.archive.v1+json"
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
MANIFEST_MAX = 16 * 2**20
LINE_MAX = 2 * 2**20  # bytes: an entry of 100 000 characters, each of them escaped


class ArchiveUnreadable(Invalid):
    """A file that is no archive, or whose manifest cannot be read."""

    code = "ARCHIVE_UNREADABLE"


class MalformedLine(Invalid):
    """A line of an archive, or of another file, that is not what it should be; the sentence says why."""

    code = "MALFORMED_LINE"
    sentence = "the line is not an object of JSON"


class ImportFormat(StrEnum):
    """What is imported: an archive, or what another program writes."""

    MOLTNET = "moltnet"
    CHATGPT = "chatgpt"
    CLAUDE = "claude"
    MEM0 = "mem0"
    MARKDOWN = "markdown"
    JSON = "json"
    JSONL = "jsonl"

    @property
    def diary_name(self) -> str:
        """What the diary is called that is made for it."""
        return _TITLES.get(self, "Imported")


_TITLES = {ImportFormat.CHATGPT: "ChatGPT", ImportFormat.CLAUDE: "Claude", ImportFormat.MEM0: "mem0"}
FORMATS = tuple(ImportFormat)


class UnknownFormat(Invalid):
    """A file of none of the formats that are read."""

    code = "UNKNOWN_FORMAT"

    def __init__(self, path: Path, formats: Sequence[ImportFormat]) -> None:
        super().__init__(f"{path} has none of the formats that are read; name it with --format: {', '.join(formats)}")


@attrs.frozen(kw_only=True)
class Part:
    """A file of the archive: how many lines and bytes it has, and the SHA-256 of those in hexadecimal."""

    name: str
    lines: int
    size: int
    hash: str

    @property
    def members(self) -> dict[str, Any]:
        """The members of its JSON."""
        return {"file": self.name, "lines": self.lines, "bytes": self.size, "sha256": self.hash}


@attrs.frozen(kw_only=True)
class ArchivedDiary:
    """A diary of an archive.

    `entries` has its entries, or the records of a signed one, whose last is `head`; `imports` the origins of entries
    that it has from elsewhere; `log` what the open log says of a signed one and of the keys of its authors.
    """

    id: DiaryId
    name: str
    visibility: Visibility
    signed: bool
    created_at: datetime
    head: Head | None
    entries: Part
    imports: Part | None
    log: Part | None = None

    @classmethod
    def of(cls, diary: Diary, head: Head | None, entries: Part, imports: Part | None) -> Self:
        """A diary whose parts were written, without those of the log."""
        return cls(
            id=diary.id,
            name=diary.name,
            visibility=diary.visibility,
            signed=diary.signed,
            created_at=diary.created_at,
            head=head,
            entries=entries,
            imports=imports,
        )

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its files."""
        return tuple(part for part in (self.entries, self.imports, self.log) if part is not None)

    @property
    def members(self) -> dict[str, Any]:
        """The members of its JSON."""
        return {
            "id": str(self.id),
            "name": self.name,
            "visibility": self.visibility.value,
            "signed": self.signed,
            "createdAt": time_text(self.created_at),
            "head": self.head and {"sequence": self.head.sequence, "hash": self.head.hash},
            "entries": self.entries.members,
            "imports": self.imports and self.imports.members,
            "log": self.log and self.log.members,
        }


@attrs.frozen(kw_only=True)
class Manifest:
    """What an archive holds, of which network, exported by whom and when.

    `log` has what the open log says of the exporting agent's key.
    """

    created_at: datetime
    network: str
    agent: PublicKey | None
    diaries: tuple[ArchivedDiary, ...]
    log: Part | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """All files but the manifest's own."""
        parts = [self.log, *(part for diary in self.diaries for part in diary.parts)]
        return tuple(part for part in parts if part is not None)

    @property
    def payload(self) -> bytes:
        """Its bytes, which are signed."""
        members = {
            "format": FORMAT,
            "version": VERSION,
            "createdAt": time_text(self.created_at),
            "network": self.network,
            "agent": self.agent and {"fingerprint": str(self.agent.fingerprint), "publicKey": self.agent.text},
            "log": self.log and self.log.members,
            "diaries": [diary.members for diary in self.diaries],
        }
        return json.dumps(members, ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, payload: bytes) -> "Manifest":
        """The manifest of these bytes; raises ArchiveUnreadable."""
        try:
            members = json.loads(payload)
            if members["format"] != FORMAT:
                raise ArchiveUnreadable("manifest.json is of another format than an archive's")
            if members["version"] != VERSION:
                raise ArchiveUnreadable(
                    f"the archive has version {members['version']!r}; this program reads {VERSION}: update it"
                )
            agent = members["agent"]
            manifest = cls(
                created_at=_time(members["createdAt"]),
                network=_text(members["network"]),
                agent=None if agent is None else PublicKey.parse(_text(agent["publicKey"])),
                log=_optional_part(members["log"]),
                diaries=tuple(map(_diary, members["diaries"])),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MalformedKey) as error:
            raise ArchiveUnreadable("manifest.json of the archive is damaged") from error
        if len({part.name for part in manifest.parts}) < len(manifest.parts):
            raise ArchiveUnreadable("manifest.json of the archive names a file more than once")
        return manifest


Progress = Callable[[str, int], object]
"""Called with what is worked on, and how many lines more are done."""


@attrs.frozen(kw_only=True)
class Exported:
    """What an export wrote: the file, its size in bytes, and how many lines each diary has."""

    path: Path
    size: int
    diaries: tuple[ArchivedDiary, ...]


def _diary(members: Mapping[str, Any]) -> ArchivedDiary:
    head = members["head"]
    return ArchivedDiary(
        id=_diary_id(members["id"]),
        name=_text(members["name"]),
        visibility=Visibility(members["visibility"]),
        signed=_exactly(bool, members["signed"]),
        created_at=_time(members["createdAt"]),
        head=None
        if head is None
        else Head(sequence=_count(head["sequence"]), hash=head["hash"] and _hash(head["hash"])),
        entries=_part(members["entries"]),
        imports=_optional_part(members["imports"]),
        log=_optional_part(members["log"]),
    )


def _diary_id(text: object) -> DiaryId:
    found = parse_uuid(_text(text))
    if found is None:
        raise ValueError
    return DiaryId(found)


def _optional_part(members: Mapping[str, Any] | None) -> Part | None:
    return None if members is None else _part(members)


def _part(members: Mapping[str, Any]) -> Part:
    return Part(
        name=_text(members["file"]),
        lines=_count(members["lines"]),
        size=_count(members["bytes"]),
        hash=_hash(members["sha256"]),
    )


def _exactly(kind: type[Any], value: object) -> Any:
    if type(value) is not kind:
        raise ValueError
    return value


def _text(value: object) -> str:
    text: str = _exactly(str, value)
    return text


def _count(value: object) -> int:
    count: int = _exactly(int, value)
    if count < 0:
        raise ValueError
    return count


def _hash(value: object) -> str:
    text = _text(value)
    if len(text) != HASH_LENGTH:
        raise ValueError
    bytes.fromhex(text)
    return text


def _time(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError
    return at
