"""Files of text in a diary, by the six commands of Anthropic's memory tool.

Source: platform.claude.com, "Memory tool": the commands, what they answer, and what a path must be checked for.

A file is an entry, with its path as title: agents of other frameworks find it by meaning. Folders exist as far as files
lie in them. A path never leaves the diary, whatever it says; one that tries to is refused all the same.
"""

import re
from collections.abc import Iterable, Sequence

import attrs

from moltnet.domain.entries import CONTENT_MAX, Entry
from moltnet.domain.errors import Conflict, Invalid, MoltNetError, NotFound
from moltnet.entrypoints.integrations.named_entries import NamedEntries
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.diaries import diary_id

ROOT = "/memories"
MARK = "memory-file"
LEVELS = 2
_NUMBER_WIDTH = 6
_CONTEXT = 2
# No separator of another system, no control character, and nothing that a later decoding would make one of.
_SEGMENT = re.compile(r"(?!\.{1,2}\Z)[^/\\%\x00-\x1f\x7f\ud800-\udfff]+")


class FileRefused(Invalid):
    """A command that cannot be carried out, in the words that a model is answered."""

    code = "FILE_REFUSED"


def file_path(path: str) -> str:
    """A path in its one way of writing; raises FileRefused for one outside `/memories`, or with anything unusual."""
    root, *segments = path.rstrip("/").removeprefix("/").split("/")
    if not path.startswith("/") or f"/{root}" != ROOT or not all(map(_SEGMENT.fullmatch, segments)):
        raise FileRefused(f"Error: {path[:100]!r} is no path below {ROOT}: use names and slashes only")
    return "/".join([ROOT, *segments])


@attrs.frozen
class MemoryFiles:
    """The files of one diary. Every method returns the sentence for the model, or raises FileRefused with one."""

    _agent: Agent
    _diary: str

    async def view(self, path: str, view_range: Sequence[int] | None = None) -> str:
        """The text of a file with its line numbers, or what lies in a folder, two levels deep."""
        checked = file_path(path)
        entry = await (await self._files()).find(checked)
        if entry is None:
            return await self._listing(checked)
        lines = entry.content.split("\n")
        first, last = _bounds(view_range, len(lines))
        return f"Here's the content of {path} with line numbers:\n{_numbered(lines, first, last)}"

    async def create(self, path: str, file_text: str) -> str:
        """Makes a file that is not there yet."""
        checked = file_path(path)
        files = await self._files()
        in_the_way = [entry async for entry in files.all() if _is_at(checked, entry) or _is_below(checked, entry)]
        if checked == ROOT or in_the_way or not await files.add(checked, _storable(path, file_text)):
            at = _path_of(in_the_way[0]) if in_the_way else path
            raise FileRefused(f"Error: File {at} already exists")
        return f"File created successfully at: {path}"

    async def str_replace(self, path: str, old_str: str, new_str: str) -> str:
        """Puts a text in place of another one that stands in a file exactly once."""
        entry = await self._file(path)
        count = entry.content.count(old_str) if old_str else 0
        if count == 0:
            raise FileRefused(f"No replacement was performed, old_str `{old_str}` did not appear verbatim in {path}.")
        if count > 1:
            lines = ", ".join(map(str, _lines_of(entry.content, old_str)))
            raise FileRefused(
                f"No replacement was performed. Multiple occurrences of old_str `{old_str}` in lines: {lines}. "
                "Please ensure it is unique"
            )
        text = entry.content.replace(old_str, new_str)
        await self._write(entry, path, text)
        changed = entry.content[: entry.content.index(old_str)].count("\n") + 1
        snippet = _numbered(text.split("\n"), changed - _CONTEXT, changed + new_str.count("\n") + _CONTEXT)
        return f"The memory file has been edited. Here is the snippet:\n{snippet}"

    async def insert(self, path: str, insert_line: int, insert_text: str) -> str:
        """Inserts lines behind a line; behind line 0, at the beginning."""
        entry = await self._file(path)
        lines = entry.content.split("\n")
        last = len(lines) - (not lines[-1])
        if not 0 <= insert_line <= last:
            raise FileRefused(
                f"Error: Invalid `insert_line` parameter: {insert_line}. It should be within the range of lines of "
                f"the file: [0, {last}]"
            )
        lines.insert(insert_line, insert_text.removesuffix("\n"))
        await self._write(entry, path, "\n".join(lines))
        return f"The file {path} has been edited."

    async def delete(self, path: str) -> str:
        """Deletes a file, or a folder with everything in it."""
        checked = file_path(path)
        files = await self._files()
        below = [] if checked == ROOT else [entry async for entry in files.all() if _is_at(checked, entry)]
        if checked == ROOT:
            raise FileRefused(f"Error: The folder {ROOT} itself cannot be deleted")
        for entry in below:
            await files.remove(_path_of(entry))
        if not below:
            raise FileRefused(f"Error: The path {path} does not exist")
        return f"Successfully deleted {path}"

    async def rename(self, old_path: str, new_path: str) -> str:
        """Moves a file, or a folder with everything in it, to a path where nothing is."""
        old, new = file_path(old_path), file_path(new_path)
        files = await self._files()
        everything = [entry async for entry in files.all()]
        moved = [entry for entry in everything if _is_at(old, entry)]
        if not moved or old == ROOT:
            raise FileRefused(f"Error: The path {old_path} does not exist")
        if any(_is_at(new, entry) or _is_below(new, entry) for entry in everything) or new.startswith(f"{old}/"):
            raise FileRefused(f"Error: The destination {new_path} already exists")
        for entry in moved:
            await files.revise(entry, name=new + _path_of(entry).removeprefix(old))
        return f"Successfully renamed {old_path} to {new_path}"

    async def _listing(self, folder: str) -> str:
        files = [entry async for entry in (await self._files()).all() if _is_at(folder, entry)]
        if not files and folder != ROOT:
            raise FileRefused(f"The path {folder} does not exist. Please provide a valid path.")
        sizes = {folder: sum(map(_size, files))}
        for entry in sorted(files, key=_path_of):
            parts = _path_of(entry).removeprefix(f"{folder}/").split("/")
            for depth in range(1, min(len(parts), LEVELS) + 1):
                below = "/".join([folder, *parts[:depth]]) + ("/" if depth < len(parts) else "")
                sizes[below] = sizes.get(below, 0) + _size(entry)
        lines = [f"{_readable(size)}\t{path}" for path, size in sizes.items()]
        heading = f"Here're the files and directories up to {LEVELS} levels deep in {folder}:"
        return "\n".join([heading, *lines])

    async def _file(self, path: str) -> Entry:
        entry = await (await self._files()).find(file_path(path))
        if entry is None:
            raise FileRefused(f"Error: The path {path} does not exist. Please provide a valid path.")
        return entry

    async def _write(self, entry: Entry, path: str, text: str) -> None:
        await (await self._files()).revise(entry, content=_storable(path, text))

    async def _files(self) -> NamedEntries:
        return NamedEntries(self._agent, await diary_id(self._agent, self._diary), MARK)


def sentence_of(error: MoltNetError, path: str) -> str:
    """What a model is told of a refusal of the network's."""
    if isinstance(error, FileRefused):
        return error.detail
    if isinstance(error, Conflict | NotFound):
        return f"Error: {path} was changed at the same moment. View it again, then repeat the command"
    return f"Error: {error.detail}"


def _storable(path: str, text: str) -> str:
    if len(text) > CONTENT_MAX:
        raise FileRefused(
            f"Error: {path} would have {len(text)} characters; a file has at most {CONTENT_MAX}. Use several files"
        )
    return text or "\n"  # an entry is not empty


def _path_of(entry: Entry) -> str:
    return entry.title or ""


def _is_at(path: str, entry: Entry) -> bool:
    return _path_of(entry) == path or _path_of(entry).startswith(f"{path}/")


def _is_below(path: str, entry: Entry) -> bool:
    """Whether the entry is a file where the path has a folder."""
    return path.startswith(f"{_path_of(entry)}/")


def _bounds(view_range: Sequence[int] | None, count: int) -> tuple[int, int]:
    first, last = view_range if view_range and len(view_range) == len("12") else (1, -1)
    return first, count if last == -1 else last


def _numbered(lines: Sequence[str], first: int, last: int) -> str:
    first = max(first, 1)
    return "\n".join(
        f"{number:>{_NUMBER_WIDTH}}\t{line}" for number, line in enumerate(lines[first - 1 : max(last, 0)], start=first)
    )


def _lines_of(text: str, part: str) -> Iterable[int]:
    return [text[: match.start()].count("\n") + 1 for match in re.finditer(re.escape(part), text)]


def _size(entry: Entry) -> int:
    return len(entry.content.encode())


def _readable(size: int) -> str:
    kilo = 1024
    return f"{size}B" if size < kilo else f"{size / kilo:.1f}K"
