"""Files of other programs and networks that diaries are imported from. Nothing of a server is imported."""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import attrs

from moltnet.adapters.files.archive_candidates import Found
from moltnet.adapters.files.archive_candidates import candidates as of_archive
from moltnet.adapters.files.paths import UnusablePath
from moltnet.adapters.foreign import chats, json_items, markdown, memories
from moltnet.adapters.foreign.json_items import Item
from moltnet.domain.archives import FORMATS, ImportFormat, UnknownFormat
from moltnet.domain.errors import Invalid
from moltnet.domain.imports import Candidate, Unreadable
from moltnet.entrypoints.container import archives
from moltnet.ports.keys import KeyPair

Read = Callable[[Item], Iterator[Candidate | Unreadable]]
_OF_ITEMS: Mapping[ImportFormat, Read] = MappingProxyType(
    {
        ImportFormat.CHATGPT: chats.chatgpt,
        ImportFormat.CLAUDE: chats.claude,
        ImportFormat.MEM0: memories.mem0,
        ImportFormat.JSON: memories.json_object,
        ImportFormat.JSONL: memories.json_object,
    }
)
# By a member that only items of the format have; the first that fits.
_MARKS = (("mapping", ImportFormat.CHATGPT), ("chat_messages", ImportFormat.CLAUDE), ("memory", ImportFormat.MEM0))


@attrs.frozen(kw_only=True)
class Source:
    """What a file has for import: the diaries that it is for, by number, and everything in it, in its order."""

    format: ImportFormat
    diaries: tuple[str, ...]
    found: Iterator[Found]


@contextmanager
def opened(
    path: Path, named: ImportFormat | None, identities: Sequence[Path], keys: KeyPair | None
) -> Iterator[Source]:
    """What is in a file or folder, by the format that is named, else by what it looks like.

    Raises UnknownFormat, UnusablePath, ReaderMissing, and what `archives.archive` raises.
    """
    try:
        source_format = named or _format_of(path)
    except OSError as error:
        raise UnusablePath(path, error) from error
    if source_format is ImportFormat.MOLTNET:
        with archives.archive(path, identities, keys) as archive:
            names = tuple(diary.name for diary in archive.manifest.diaries)
            yield Source(format=source_format, diaries=names, found=of_archive(archive))
    elif source_format is ImportFormat.MARKDOWN:
        name = path.resolve().stem if path.is_file() else path.resolve().name
        yield Source(format=source_format, diaries=(name or source_format.diary_name,), found=markdown.candidates(path))
    else:
        with json_items.opened(path) as files:
            found = _of_files(files, _OF_ITEMS[source_format], is_lines=source_format is ImportFormat.JSONL)
            yield Source(format=source_format, diaries=(source_format.diary_name,), found=found)


def _of_files(files: Iterable[tuple[str, BinaryIO]], read: Read, *, is_lines: bool) -> Iterator[Found]:
    for name, file in files:
        with file:
            for item in (json_items.lines if is_lines else json_items.items)(name, file):
                if isinstance(item, Unreadable):
                    yield item
                else:
                    yield from read(item)


def _format_of(path: Path) -> ImportFormat:
    """What a file or folder looks like; raises UnknownFormat."""
    if path.is_dir():
        is_chats = any(path.glob("conversations*.json"))
        return _by_item(path) if is_chats else ImportFormat.MARKDOWN
    suffix = path.suffix.lower()
    if suffix in {".md", ".markdown"}:
        return ImportFormat.MARKDOWN
    if suffix in {".jsonl", ".ndjson"}:
        return ImportFormat.JSONL
    if zipfile.is_zipfile(path) and json_items.is_chats(path):
        return _by_item(path)
    if archives.is_archive(path):
        return ImportFormat.MOLTNET
    if suffix == ".json":
        return _by_item(path)
    raise UnknownFormat(path, FORMATS)


def _by_item(path: Path) -> ImportFormat:
    """By the first object in it."""
    with json_items.opened(path) as files:
        try:
            found = chain.from_iterable(json_items.items(name, file) for name, file in files)
            first = next((each for each in found if isinstance(each, Item)), None)
        except Invalid:
            first = None
    if first is None:
        raise UnknownFormat(path, FORMATS)
    return next((kind for mark, kind in _MARKS if mark in first.members), ImportFormat.JSON)
