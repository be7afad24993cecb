"""Notes in Markdown, with or without front matter, as Obsidian and basic-memory keep them.

Links stay as they are written. Hidden folders and links of the file system are passed over.
"""

import os
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from moltnet.adapters.foreign.json_items import ReaderMissing
from moltnet.adapters.foreign.pieces import OCCURRED, Memo, time_fault, time_of
from moltnet.domain.entries import EntryType
from moltnet.domain.imports import Candidate, Unreadable

MARKDOWN = "markdown"
FILE_MAX = 4 * 2**20
FRONT_MATTER_MAX = 64 * 2**10
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_TAG = re.compile(r"(?<![\w/#&])#([^\W\d_][\w/-]*)")
_HEADING = re.compile(r"^# +(.+?) *#*$", re.MULTILINE)
_TIMES = (*OCCURRED, "created", "created_at", "date", "date created")


def files(path: Path) -> Iterator[tuple[str, Path] | Unreadable]:
    """The Markdown files in a folder and below, by name; or the one."""
    if path.is_file():
        yield path.name, path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder) / name
            relative = file.relative_to(path).as_posix()
            if not name.lower().endswith((".md", ".markdown")) or name.startswith("."):
                continue
            if not relative.isprintable():
                yield Unreadable(ascii(relative), "its name cannot be written as text")
            elif file.is_symlink():
                yield Unreadable(relative, "it is a link: its target was not read")
            else:
                yield relative, file


def candidates(path: Path) -> Iterator[Candidate | Unreadable]:
    """Every note of a folder."""
    for each in files(path):
        if isinstance(each, Unreadable):
            yield each
        else:
            yield from _memo(*each)


def _memo(name: str, path: Path) -> Iterator[Candidate | Unreadable]:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_MAX + 1)
        text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        yield Unreadable(name, f"it cannot be read: {error.strerror}")
        return
    except UnicodeDecodeError as error:
        yield Unreadable(name, f"it is not UTF-8 (byte {error.start})")
        return
    if len(raw) > FILE_MAX:
        yield Unreadable(name, f"it has more than {FILE_MAX} bytes")
        return
    members, body = _parted(text)
    if fault := time_fault(members):
        yield Unreadable(name, fault)
        return
    heading = _HEADING.search(body)
    title = members.get("title")
    yield from Memo(
        position=name,
        source=MARKDOWN,
        id=name,
        text=body,
        title=str(title) if isinstance(title, str | int | float) else (heading[1] if heading else path.stem),
        tags=(*_tags(members.get("tags")), *_TAG.findall(_CODE.sub("", body))),
        importance=members["importance"] if type(members.get("importance")) is int else None,
        entry_type=_type(members.get("type")),
        at=_time(members),
    ).candidates()


def _parted(text: str) -> tuple[dict[str, Any], str]:
    """Front matter and body; what is no front matter belongs to the body."""
    match = _FRONT_MATTER.match(text)
    if match is None or len(match[1]) > FRONT_MATTER_MAX:
        return {}, text
    members = _yaml(match[1])
    return (members, text[match.end() :]) if isinstance(members, dict) else ({}, text)


def _yaml(text: str) -> object:
    try:
        import yaml  # noqa: PLC0415  # optional
    except ModuleNotFoundError as error:
        raise ReaderMissing from error

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
        """Without aliases, by which a short text becomes an endless one."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.YAMLError("an alias")
            return super().compose_node(parent, index)

    try:
        return yaml.load(text, Loader)  # noqa: S506  # a safe one
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError):
        return None


def _tags(value: object) -> list[str]:
    if isinstance(value, str):
        return re.split(r"[,\s]+", value)
    return [str(each) for each in value if isinstance(each, str | int)] if isinstance(value, list) else []


def _type(value: object) -> EntryType:
    return EntryType(value) if isinstance(value, str) and value in set(EntryType) else EntryType.SEMANTIC


def _time(members: dict[str, Any]) -> datetime | None:
    for name in _TIMES:
        value = members.get(name)
        at = time_of(value.isoformat() if isinstance(value, date) else value) if value is not None else None
        if at is not None:
            return at
    return None
