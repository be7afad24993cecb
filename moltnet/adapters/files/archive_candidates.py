"""What an archive has for import: each entry with its origin, the first one where it was imported before itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import attrs

from moltnet.adapters.files.diary_archive import ArchiveFile, PartDamaged
from moltnet.domain.archive_lines import ArchivedEntry, parse_entry, parse_import, parse_proof, parse_shown_record
from moltnet.domain.archives import ArchivedDiary, MalformedLine, Part
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import EntryId
from moltnet.domain.imports import Candidate, Origin, Supersession, Unreadable
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import EntryRecord, SignedRecord, content_hash

Found = Candidate | Unreadable | Supersession
UNKNOWN = "another network"


def candidates(archive: ArchiveFile) -> Iterator[Found]:
    """Everything that an archive has, diary by diary, and what of it cannot be read."""
    source = archive.manifest.network or UNKNOWN
    for number, diary in enumerate(archive.manifest.diaries):
        read = _Diary(archive, number, diary, source)
        yield from read.records() if diary.signed else read.entries()


@attrs.frozen
class _Diary:
    _archive: ArchiveFile
    _number: int
    _diary: ArchivedDiary
    _source: str

    def records(self) -> Iterator[Found]:
        for position, line in self._lines(self._diary.entries):
            if isinstance(line, Unreadable):
                yield line
                continue
            try:
                yield from self._of_record(position, parse_shown_record(line))
            except Invalid as error:
                yield Unreadable(position, error.detail)
        yield from self._log()

    def entries(self) -> Iterator[Found]:
        with _origins() as origins:
            if self._diary.imports is not None:
                yield from self._imports(self._diary.imports, origins)
            for position, line in self._lines(self._diary.entries):
                if isinstance(line, Unreadable):
                    yield line
                    continue
                try:
                    yield from self._of_entry(position, parse_entry(line), origins)
                except MalformedLine as error:
                    yield Unreadable(position, error.detail)

    def _of_record(self, position: str, signed: SignedRecord) -> Iterator[Found]:
        evidence = attrs.evolve(signed, content=None)
        origin = Origin(key=f"record:{self._diary.id}:{signed.sequence:010}", source=self._source, record=evidence)
        if signed.payload is None:
            yield Candidate(position=position, origin=origin, new=None, diary=self._number)
            return
        record = parse_record(signed.payload)
        origin = attrs.evolve(origin, author_key=record.key, written_at=record.created_at)
        if not isinstance(record, EntryRecord):
            yield Candidate(position=position, origin=origin, new=None, diary=self._number)
            return
        if signed.content is None:
            yield Unreadable(position, "the content of the entry is missing")
            return
        key = _key(record.entry_id)
        origin = attrs.evolve(origin, key=key, original_id=str(record.entry_id))
        yield Candidate(position=position, origin=origin, new=record.new_entry(signed.content), diary=self._number)
        if record.supersedes is not None:
            yield Supersession(_key(record.supersedes), key, self._number)

    def _of_entry(self, position: str, entry: ArchivedEntry, origins: "_Origins") -> Iterator[Found]:
        origin = origins.of(entry.id)
        if origin is None:
            origin = Origin(
                key=_key(entry.id),
                source=self._source,
                original_id=str(entry.id),
                author_key=entry.author_key,
                editor_key=entry.editor_key,
                written_at=entry.created_at,
                changed_at=entry.updated_at,
            )
        elif not _proves(origin, entry.new.content):
            origin = attrs.evolve(origin, record=None)  # it was edited where it was imported
        yield Candidate(position=position, origin=origin, new=entry.new, diary=self._number)
        if entry.superseded_by is not None:
            successor = origins.of(entry.superseded_by)
            key = _key(entry.superseded_by) if successor is None else successor.key
            yield Supersession(origin.key, key, self._number)

    def _log(self) -> Iterator[Found]:
        for position, line in self._lines(self._diary.log) if self._diary.log else ():
            if isinstance(line, Unreadable):
                yield line
                continue
            try:
                origin = Origin.of_proof(parse_proof(line), self._source)
            except MalformedLine as error:
                yield Unreadable(position, error.detail)
                continue
            yield Candidate(position=position, origin=origin, new=None, diary=self._number)

    def _imports(self, part: Part, origins: "_Origins") -> Iterator[Found]:
        for position, line in self._lines(part):
            if isinstance(line, Unreadable):
                yield line
                continue
            try:
                imported = parse_import(line)
            except MalformedLine as error:
                yield Unreadable(position, error.detail)
                continue
            if imported.entry_id is not None:
                origins.add(imported.entry_id, line)
            else:
                yield Candidate(position=position, origin=imported.origin, new=None, diary=self._number)

    def _lines(self, part: Part) -> Iterator[tuple[str, bytes | Unreadable]]:
        try:
            for number, line in enumerate(self._archive.lines(part), 1):
                yield f"{part.name}:{number}", line
        except PartDamaged as error:
            yield part.name, Unreadable(part.name, error.detail)


@attrs.frozen
class _Origins:
    """The lines of origins by entry, in a temporary file: there may be more than fit into memory."""

    _database: sqlite3.Connection

    def add(self, entry_id: EntryId, line: bytes) -> None:
        self._database.execute("insert or ignore into origins values (?, ?)", (entry_id.bytes, line))

    def of(self, entry_id: EntryId) -> Origin | None:
        row = self._database.execute("select line from origins where entry = ?", (entry_id.bytes,)).fetchone()
        return None if row is None else parse_import(row[0]).origin


@contextmanager
def _origins() -> Iterator[_Origins]:
    # Lines are read ahead in one thread after the other, never in two at once.
    with closing(sqlite3.connect("", check_same_thread=False)) as database:
        database.execute("create table origins (entry blob primary key, line blob)")
        yield _Origins(database)


def _key(entry_id: EntryId) -> str:
    return f"entry:{entry_id}"


def _proves(origin: Origin, content: str) -> bool:
    if origin.record is None or origin.record.payload is None:
        return True
    record = parse_record(origin.record.payload)
    return isinstance(record, EntryRecord) and record.content_hash == content_hash(content)
