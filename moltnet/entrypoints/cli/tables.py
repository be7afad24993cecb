"""Results as a person reads them: tables and labelled lines that fit the terminal, coloured where it takes colours.

The library that lays them out is imported when there is something to print, so that help stays quick.
"""

import io
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from rich.console import RenderableType

Row = Mapping[str, object]

CELL_MAX = 160
"""Columns of the screen that one cell may fill, over several lines."""
_AGES = ((365 * 86400, "years"), (30 * 86400, "months"), (86400, "days"), (3600, "h"), (60, "min"))
_JOINERS = "\u200c\u200d"  # joiners within words and emoji: they are not printable by themselves


@attrs.frozen
class Column:
    """A heading, what stands below it, and how: in colours, on one line (`no_wrap`), to the right."""

    heading: str
    cell: str | Callable[[Row], object]
    style: str = ""
    no_wrap: bool = False
    right: bool = False

    def text(self, row: Row) -> str:
        """What stands in this column of a row; lines of its own only where the column makes them."""
        if callable(self.cell):
            return "\n".join(_one_line(line) for line in str(self.cell(row)).split("\n"))
        return _one_line(as_text(row.get(self.cell)))


def table(rows: Sequence[Row], columns: Sequence[Column], empty: str) -> str:
    """Rows under headings, as wide as the terminal at most; `empty` where there are none."""
    if not rows:
        return empty
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415  # quick help
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    laid_out = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for column in columns:
        laid_out.add_column(
            Text(column.heading),
            style=column.style,
            no_wrap=column.no_wrap,
            overflow="fold",
            justify="right" if column.right else "left",
        )
    for row in rows:
        laid_out.add_row(*(Text(column.text(row)) for column in columns))
    return _rendered(laid_out)


def lines(thing: Row) -> str:
    """One thing, a line for each member; texts of many lines stand below their name."""
    from rich.text import Text  # noqa: PLC0415  # quick help

    shown = {name: value for name, value in thing.items() if value is not None}
    width = max(map(len, shown), default=0)
    parts: list[Text] = []
    for name, value in shown.items():
        text, label = as_text(value), Text(f"{name:<{width}}  ", style="cyan")
        if "\n" in text or len(text) > width_of_terminal() - width - 2:
            parts.append(Text(name, style="cyan"))
            parts.extend(Text(f"  {line}") for line in text.splitlines())
        else:
            parts.append(label + Text(text))
    # A key or a signature is copied: no line ends are put into it, the terminal itself goes on below.
    return _rendered(Text("\n").join(parts), wraps=False)


def age(timestamp: object, now: datetime | None = None) -> str:
    """How long ago a time as REST tells it was, or how far it is ahead: `3 days`, `in 23 h`; else the text itself."""
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
    """A text without the characters by which it could give a terminal orders."""
    return "".join(each if each in f"\n\t{_JOINERS}" or each.isprintable() else "\ufffd" for each in text)


def width_of_terminal() -> int:
    """COLUMNS, else the terminal's width, else 80."""
    return shutil.get_terminal_size().columns


def takes_colours() -> bool:
    """Whether standard output is a terminal; NO_COLOR and TERM=dumb are left to the library."""
    return sys.stdout.isatty()


def _rendered(what: "RenderableType", *, wraps: bool = True) -> str:
    from rich.console import Console  # noqa: PLC0415  # quick help

    width = width_of_terminal() if wraps else 1_000_000
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=takes_colours(), highlight=False, markup=False, emoji=False
    )
    console.print(what, soft_wrap=not wraps)
    return "\n".join(line.rstrip() for line in file.getvalue().rstrip("\n").split("\n"))


def _one_line(text: str) -> str:
    return " ".join(text.split())
