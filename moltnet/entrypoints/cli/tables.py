"""Results as a person reads them: tables and labelled lines that fit the terminal, in colour where it shows colours.

rich is imported when there is something to print, so that help stays quick (ADR-40).
"""

import io
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from rich.console import RenderableType

Json = Mapping[str, Any]

CELL_MAX = 160
"""Columns of the screen that one cell may fill, over several lines."""
_AGES = ((365 * 86400, "years"), (30 * 86400, "months"), (86400, "days"), (3600, "h"), (60, "min"))
_JOINERS = "\u200c\u200d"  # joiners within words and emoji: they are not printable by themselves


@attrs.frozen
class Column:
    """A heading, the member or function that fills the cells below it, and their style."""

    heading: str
    cell: str | Callable[[Json], object]
    style: str = ""
    no_wrap: bool = False
    right: bool = False

    def text(self, row: Json) -> str:
        """The cell of a row; it has several lines only where a function makes them."""
        if callable(self.cell):
            return "\n".join(_one_line(line) for line in str(self.cell(row)).split("\n"))
        return _one_line(as_text(row.get(self.cell)))


def table(rows: Sequence[Json], columns: Sequence[Column], empty: str) -> str:
    """Rows under headings, at most as wide as the terminal; `empty` if there are none."""
    if not rows:
        return empty
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415  # quick help
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for column in columns:
        justify = "right" if column.right else "left"
        heading = Text(column.heading)
        grid.add_column(heading, style=column.style, no_wrap=column.no_wrap, overflow="fold", justify=justify)  # type: ignore[arg-type]
    for row in rows:
        grid.add_row(*(Text(column.text(row)) for column in columns))
    return _rendered(grid)


def table_of(member: str, columns: Sequence[Column], empty: str) -> Callable[[Json], str]:
    """Renders the list in one member of a result as a table."""
    return lambda result: table(result[member], columns, empty)


def lines(thing: Json) -> str:
    """One thing, a line for each member; texts of several lines follow below their name."""
    from rich.text import Text  # noqa: PLC0415  # quick help

    shown = {name: as_text(value) for name, value in thing.items() if value is not None}
    width = max(map(len, shown), default=0)
    parts: list[Text] = []
    for name, text in shown.items():
        if "\n" in text or len(text) > _terminal_width() - width - 2:
            parts.append(Text(name, style="cyan"))
            parts.extend(Text(f"  {line}") for line in text.splitlines())
        else:
            parts.append(Text(f"{name:<{width}}  ", style="cyan") + Text(text))
    # A key or a signature is copied: no line ends are put into it, the terminal itself breaks the line.
    return _rendered(Text("\n").join(parts), wraps=False)


def age(timestamp: object, now: datetime | None = None) -> str:
    """How long ago a time in JSON was, or how far it is ahead: `3 days`, `in 23 h`; other texts stay as they are."""
    try:
        then = datetime.fromisoformat(str(timestamp))
        seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    except (ValueError, TypeError):
        return as_text(timestamp)
    for length, unit in _AGES:
        count = int(abs(seconds) // length)
        if count:
            named = unit.removesuffix("s") if count == 1 else unit
            return f"{count} {named}" if seconds > 0 else f"in {count} {named}"
    return "now"


def shortened(text: str) -> str:
    """At most CELL_MAX columns of a text, in one line."""
    from rich.text import Text  # noqa: PLC0415  # quick help

    cut = Text(_one_line(text))
    cut.truncate(CELL_MAX, overflow="ellipsis")
    return cut.plain


def as_text(value: object) -> str:
    """A value of JSON as a person writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(as_text, value))
    if isinstance(value, Mapping):
        if "fingerprint" in value:  # an agent: its key is long, and the fingerprint is its short name
            return as_text(value["fingerprint"])
        return ", ".join(f"{name} {as_text(member)}" for name, member in value.items())
    return printable(str(value))


def printable(text: str) -> str:
    """A text with a replacement for each character that could control a terminal."""
    return "".join(each if each in f"\n\t{_JOINERS}" or each.isprintable() else "\ufffd" for each in text)


def ages(heading: str, member: str) -> Column:
    """A column with the age of a time."""
    return Column(heading, lambda row: age(row.get(member)), style="green", no_wrap=True)


def ids(heading: str, member: str = "id") -> Column:
    """A column with whole ids."""
    return Column(heading, member, style="dim", no_wrap=True)


def _memory(row: Json) -> str:
    """An entry's title and text, and its whole id, which other commands take."""
    title, content = as_text(row.get("title")), as_text(row.get("content"))
    return f"{shortened(f'{title}: {content}' if title else content)}\nid {row['id']}"


AGE = ages("AGE", "createdAt")
MEMORY = Column("MEMORY", _memory)
AUTHOR = Column("AUTHOR", "author", style="cyan", no_wrap=True)


def search_text(shown: Json, names: Mapping[str, str]) -> str:
    """A search result: the table of hits, a note if they may be no answer, and the explanations asked for.

    `names` maps the ids of diaries to their names.
    """
    return "\n".join(_search_parts(shown, names))


def _search_parts(shown: Json, names: Mapping[str, str]) -> Iterator[str]:
    results = shown["results"]
    score = Column("SCORE", lambda row: _two_digits(row.get("score")), style="bold", no_wrap=True, right=True)
    diary = Column("DIARY", lambda row: printable(names.get(str(row.get("diaryId")), "shared")))
    yield table(results, (score, diary, AGE, MEMORY), "Nothing found.")
    if results and shown.get("confident") is False:
        one = "\nA best guess: it may not be what you asked for."
        yield one if len(results) == 1 else "\nBest guesses, the likeliest first: they may not be what you asked for."
    for entry in results:
        if "explanation" in entry:
            yield f"\n{entry['id']}: {_explanation(entry['explanation'])}"
    if left_out := shown.get("leftOut"):
        yield "\nLeft out:"
        yield from (f"  {each['id']}  {_two_digits(each['score'])}  {each['reason']}" for each in left_out)


def _explanation(explanation: Json) -> str:
    parts = []
    if "cosine" in explanation:
        parts.append(f"meaning {_two_digits(explanation['cosine'])}{_rank(explanation.get('cosineRank'))}")
    parts.append(f"words {_two_digits(explanation['words'])}{_rank(explanation.get('wordsRank'))}")
    if "expansion" in explanation:
        parts.append(f"calls up {_two_digits(explanation['expansion'])}{_rank(explanation.get('expansionRank'))}")
    if explanation["matchedWords"]:
        parts.append("matched " + ", ".join(map(printable, explanation["matchedWords"])))
    if explanation["timely"]:
        parts.append("of the time that was asked for")
    passage = explanation.get("passage")
    nearest = _one_line(printable(passage["text"])) if passage else ""
    return "; ".join(parts) + (f"\n  {nearest}" if nearest else "")


def _rank(rank: int | None) -> str:
    return "" if rank is None else f" (no. {rank})"


def _two_digits(number: object) -> str:
    return f"{number:.2f}" if isinstance(number, int | float) else ""


def _terminal_width() -> int:
    return shutil.get_terminal_size().columns


def _rendered(what: "RenderableType", *, wraps: bool = True) -> str:
    from rich.console import Console  # noqa: PLC0415  # quick help

    width = _terminal_width() if wraps else 1_000_000
    colours = sys.stdout.isatty()  # rich itself reads NO_COLOR and TERM
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=colours, highlight=False, markup=False, emoji=False)
    console.print(what, soft_wrap=not wraps)
    return "\n".join(line.rstrip() for line in file.getvalue().rstrip("\n").split("\n"))


def _one_line(text: str) -> str:
    return " ".join(text.split())
