"""Large files of JSON, an item at a time; what cannot be read ends them where it stands."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from moltnet.domain.archive_lines import json_object
from moltnet.domain.archives import LINE_MAX, MalformedLine
from moltnet.domain.errors import Invalid, Unavailable
from moltnet.domain.imports import Unreadable

ITEM_MAX = 64 * 2**20  # bytes of one item: no conversation of people is as long
RATIO_MAX = 200
_BOM = b"\xef\xbb\xbf"
_MEMBERS = ("results", "memories", "conversations", "data")
_STEPS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
DEPTH_MAX = 500


class ReaderMissing(Unavailable):
    """The library that reads such files is an optional part."""

    code = "READER_MISSING"
    sentence = "Reading files of other programs needs an optional part: pip install 'moltnet[archive]'"


class ItemTooLarge(Invalid):
    """An item of a list that is longer than any that is taken."""

    code = "ITEM_TOO_LARGE"
    sentence = f"it has more than {ITEM_MAX} bytes"


@attrs.frozen
class Item:
    """An object of a file, and where it stands."""

    position: str
    members: dict[str, Any]


def items(name: str, file: BinaryIO) -> Iterator[Item | Unreadable]:
    """The objects of a list: the file is one, or has one in `results`, `memories`, `conversations` or `data`."""
    try:
        import ijson  # noqa: PLC0415  # optional
    except ModuleNotFoundError as error:
        raise ReaderMissing from error
    member = _member_of(file)
    bounded, count = _Bounded(file), 0
    try:
        for value in _values(ijson, bounded, member):
            count += 1
            bounded.left = ITEM_MAX
            position = f"{name}, item {count}"
            yield Item(position, value) if isinstance(value, dict) else Unreadable(position, "it is no object of JSON")
    except (ijson.JSONError, UnicodeDecodeError, RecursionError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        yield Unreadable(f"{name}, item {count + 1}", f"the JSON is damaged, or cut, from here on ({error})")
    except Invalid as error:
        yield Unreadable(f"{name}, item {count + 1}", f"{error.detail}; it and what follows were not read")


def lines(name: str, file: BinaryIO) -> Iterator[Item | Unreadable]:
    """The objects of JSON Lines."""
    number = 0
    while line := file.readline(LINE_MAX + 1):
        number += 1
        position = f"{name}:{number}"
        if len(line) > LINE_MAX:
            yield Unreadable(position, f"the line has more than {LINE_MAX} bytes; what follows was not read")
            return
        if not line.strip():
            continue
        try:
            yield Item(position, json_object(line.removeprefix(_BOM) if number == 1 else line))
        except MalformedLine as error:
            yield Unreadable(position, error.detail)


@contextmanager
def opened(path: Path) -> Iterator[Iterator[tuple[str, BinaryIO]]]:
    """The JSON files of an export, with their names: the file itself, or those in its ZIP file or folder."""
    if path.is_dir():
        yield ((each.name, each.open("rb")) for each in sorted(path.glob("conversations*.json")))
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield ((each.filename, _member(archive, each)) for each in archive.infolist() if _is_chats(each))
    else:
        with path.open("rb") as file:
            yield iter([(path.name, file)])


def is_chats(path: Path) -> bool:
    """Whether a ZIP file has conversations in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(map(_is_chats, archive.infolist()))
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return False


@attrs.define
class _Bounded:
    """A file of which no more is read than one item may have, until that is done."""

    _file: BinaryIO
    left: int = ITEM_MAX

    def read(self, size: int = -1) -> bytes:
        """The next bytes; raises ItemTooLarge."""
        chunk = self._file.read(min(size, 65_536) if size >= 0 else 65_536)
        self.left -= len(chunk)
        if self.left < 0:
            raise ItemTooLarge
        return chunk


def _values(ijson: Any, file: "_Bounded", member: str | None) -> Iterator[Any]:
    """The items of the list that the file is, or has in a member. Prefixes, which grow with the depth, are not used."""
    outside, depth, key, builder, inner = 1 if member is None else 2, 0, None, None, 0
    for event, value in ijson.basic_parse(file, use_float=True):
        step = _STEPS.get(event, 0)
        if builder is None and depth == outside and step >= 0 and event != "map_key" and key == member:
            builder = ijson.ObjectBuilder()
        if builder is None:
            depth += step
            key = value if event == "map_key" and depth == 1 else key
            continue
        builder.event(event, value)
        inner += step
        if inner > DEPTH_MAX:
            raise ItemTooLarge(f"it is nested more than {DEPTH_MAX} deep")
        if inner == 0:
            yield builder.value
            builder = None


def _member_of(file: BinaryIO) -> str | None:
    """In which member the list stands, by the beginning of the file; a byte order mark is passed over."""
    start = file.read(65_536)
    file.seek(len(_BOM) if start.startswith(_BOM) else 0)
    if start.removeprefix(_BOM).lstrip().startswith(b"["):
        return None
    return next((name for name in _MEMBERS if json.dumps(name).encode() in start), None)


def _is_chats(member: zipfile.ZipInfo) -> bool:
    name = member.filename.rpartition("/")[2]
    return name.startswith("conversations") and name.endswith(".json")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    if member.file_size > max(ITEM_MAX, RATIO_MAX * member.compress_size):
        raise ItemTooLarge(f"{member.filename!a} would become {member.file_size} bytes, which no export does")
    file: Any = archive.open(member)
    return file  # type: ignore[no-any-return]
