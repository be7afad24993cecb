"""Results as a person reads them: tables and labelled lines, as wide as they need to be."""

from collections.abc import Iterable, Mapping, Sequence

CELL_MAX = 60


def table(rows: Sequence[Mapping[str, object]], columns: Sequence[str], empty: str) -> str:
    """Rows under headings; long and many-lined cells are cut. `empty` is said where there are none."""
    if not rows:
        return empty
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    return "\n".join(_line(line, widths) for line in ([column.upper() for column in columns], *cells))


def lines(thing: Mapping[str, object]) -> str:
    """One thing, a line for each member; texts of many lines stand below their name."""
    shown = {name: value for name, value in thing.items() if value is not None}
    width = max(map(len, shown), default=0)
    return "\n".join(_labelled(name, value, width) for name, value in shown.items())


def _labelled(name: str, value: object, width: int) -> str:
    text = _text(value)
    if "\n" in text:
        return f"{name}\n" + "\n".join(f"  {line}" for line in text.splitlines())
    return f"{name:<{width}}  {text}"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cell(value: object) -> str:
    text = " ".join(_text(value).split())
    return text if len(text) <= CELL_MAX else text[: CELL_MAX - 1] + "…"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(member)}" for name, member in value.items())
    return printable(str(value))


def printable(text: str) -> str:
    """A text without the characters by which it could give a terminal orders."""
    return "".join(each if each in "\n\t" or each.isprintable() else "\ufffd" for each in text)
