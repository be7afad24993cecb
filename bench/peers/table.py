"""What was measured of a store, the tables it is printed in, and how MoltNet's figures stand to those of others."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

OURS = "MoltNet"


@attrs.define(kw_only=True)
class Row:
    """One store; None where something was not tried, and `absent` says why the store was not measured at all."""

    name: str
    version: str = ""
    absent: str = ""
    search_s: list[float] = attrs.field(factory=list)
    """Of each search."""
    search_cpu_s: float = 0.0
    write_cpu_s: float = 0.0
    """Of all processes of the store, for all searches and for all writes; busy neighbours change these least."""
    written: int = 0
    alone_per_s: list[float] = attrs.field(factory=list)
    many_per_s: list[float] = attrs.field(factory=list)
    """Writes of one client and of many, in each turn."""
    errors: list[str] = attrs.field(factory=list)
    lost: int = 0
    doubled: int = 0
    """Of what was acknowledged, in a process that opened the store afterwards."""
    unfound: int = 0
    asked: int = 0
    """Of so many memories, those that a search for their own text does not bring up."""
    gone: int = 0
    acknowledged: int = 0
    """Of so many writes acknowledged before SIGKILL, those that are not there afterwards."""
    reads: bool | None = None
    writes: bool | None = None
    """Whether somebody else reads what the owner wrote, and writes among it."""
    shared: str = ""
    """What is there of what two processes wrote at once."""
    syncs: float | None = None
    """How often a write of one client waits for the disk."""
    signature: bool | None = None

    @property
    def search_ms(self) -> float:
        """The median."""
        return statistics.median(self.search_s) * 1000 if self.search_s else 0.0

    @property
    def search_cpu_ms(self) -> float:
        """CPU time of a search."""
        return self.search_cpu_s * 1000 / max(len(self.search_s), 1)

    @property
    def write_cpu_ms(self) -> float:
        """CPU time of a write."""
        return self.write_cpu_s * 1000 / max(self.written, 1)

    @property
    def alone(self) -> float:
        """Writes a second in the turn in the middle."""
        return statistics.median(self.alone_per_s) if self.alone_per_s else 0.0

    @property
    def many(self) -> float:
        """The same for many clients."""
        return statistics.median(self.many_per_s) if self.many_per_s else 0.0

    @property
    def loses_nothing(self) -> bool:
        """Whether every write was taken and is there once, as far as both was tried."""
        return bool(self.asked and self.acknowledged) and not (
            self.absent or self.errors or self.lost or self.doubled or self.gone
        )

    def json(self) -> dict[str, Any]:
        """Every member, and what the first table shows of them."""
        shown = {name: getattr(self, name) for name in ("search_ms", "search_cpu_ms", "alone", "many", "write_cpu_ms")}
        return attrs.asdict(self) | shown | {"errors": dict(Counter(self.errors))}


@attrs.frozen
class Aim:
    """A ratio of two figures, and the bound it should keep; `ratio` is None where one of them is missing."""

    what: str
    ratio: float | None
    bound: float
    at_most: bool

    def line(self) -> str:
        """As a sentence."""
        relation = "at most" if self.at_most else "at least"
        if self.ratio is None:
            return f"{self.what}: not measured (aim: {relation} {self.bound:g})"
        kept = self.ratio <= self.bound if self.at_most else self.ratio >= self.bound
        return f"{self.what}: {self.ratio:.2f} (aim: {relation} {self.bound:g}; {'reached' if kept else 'missed'})"


def difference(acknowledged: Sequence[str], found: Sequence[str]) -> tuple[int, int]:
    """How many acknowledged texts are not there, and how many copies there are beyond the first."""
    there = Counter(found)
    return len(set(acknowledged) - there.keys()), sum(count - 1 for count in there.values())


def aims(rows: Sequence[Row]) -> list[Aim]:
    """MoltNet as it is installed beside chromadb's search, mem0's writers, and the best of those that lose nothing."""
    by = {row.name: row for row in rows if not row.absent}
    rest, library = by.get("MoltNet, REST"), by.get("MoltNet, library")
    chroma, mem0 = by.get("chromadb"), by.get("mem0")
    safe = [row for row in by.values() if row.loses_nothing and not row.name.startswith(OURS)]
    best = max(safe, key=lambda row: row.many, default=None)
    return [
        Aim("search through REST beside chromadb's", _ratio(rest, chroma, "search_ms"), 1.2, at_most=True),
        Aim("search by library beside chromadb's", _ratio(library, chroma, "search_ms"), 1.0, at_most=True),
        Aim(
            f"many writers beside the best that loses nothing, {best and best.name}",
            _ratio(rest, best, "many"),
            3.0,
            at_most=False,
        ),
        Aim("many writers beside mem0's", _ratio(rest, mem0, "many"), 1.0, at_most=False),
    ]


def _ratio(ours: Row | None, theirs: Row | None, figure: str) -> float | None:
    one, other = getattr(ours, figure, 0.0), getattr(theirs, figure, 0.0)
    return one / other if one and other else None


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """Both tables and what stands below them, in at most 100 columns."""
    measured = [row for row in rows if not row.absent]
    for columns in (FIGURES, GUARANTEES):
        yield "".join(f"{each.head:>{each.width}}" for each in columns)
        yield "".join(f"{each.below:>{each.width}}" for each in columns)
        for row in measured:
            name, *rest = [each.cell(row) for each in columns]
            yield name.ljust(columns[0].width) + "".join(
                f"{cell:>{each.width}}" for cell, each in zip(rest, columns[1:], strict=True)
            )
        yield ""
    yield from (f"{row.name}: not measured: {row.absent}"[:100] for row in rows if row.absent)
    for row in rows:
        yield from (f"{row.name}: {count} times {text}"[:100] for text, count in Counter(row.errors).most_common(2))
    yield from (aim.line() for aim in aims(rows))


@attrs.frozen
class _Column:
    """Two lines of a head, the width, and what stands in it."""

    head: str
    below: str
    width: int
    cell: Callable[[Row], str]


def _said(tried: bool | None, otherwise: str = "not tried") -> str:  # noqa: FBT001  # the value itself
    return otherwise if tried is None else ("yes" if tried else "no")


def _if(tried: object, shown: str, otherwise: str = "-") -> str:
    return shown if tried else otherwise


_NAME = _Column("", "", 19, lambda row: row.name)
FIGURES = (
    _NAME,
    _Column(
        "search", "p50 ms", 8, lambda row: _if(row.search_s, f"{row.search_ms:.1f}", "failed" if row.errors else "-")
    ),
    _Column("CPU", "ms", 6, lambda row: _if(row.search_s, f"{row.search_cpu_ms:.1f}")),
    _Column("1 client", "writes/s", 10, lambda row: _if(row.alone_per_s, f"{row.alone:.0f}")),
    _Column("many", "writes/s", 10, lambda row: _if(row.many_per_s, f"{row.many:.0f}")),
    _Column("CPU", "ms", 6, lambda row: _if(row.written, f"{row.write_cpu_ms:.1f}")),
    _Column("", "refused", 9, lambda row: _if(row.many_per_s, str(len(row.errors)))),
    _Column("", "lost", 6, lambda row: _if(row.asked, str(row.lost))),
    _Column("", "twice", 6, lambda row: _if(row.asked, str(row.doubled))),
    _Column("not", "found", 6, lambda row: _if(row.asked, str(row.unfound))),
    _Column("gone after", "SIGKILL", 13, lambda row: _if(row.acknowledged, f"{row.gone} of {row.acknowledged}")),
)
GUARANTEES = (
    _NAME,
    _Column("", "version", 9, lambda row: row.version),
    _Column("disk waits", "a write", 12, lambda row: "not tried" if row.syncs is None else f"{row.syncs:.1f}"),
    _Column("others", "read", 10, lambda row: _said(row.reads)),
    _Column("others", "write", 10, lambda row: _said(row.writes)),
    _Column("two processes", "keep", 15, lambda row: row.shared or "not tried"),
    _Column(
        "signature", "confirmed", 11, lambda row: _said(row.signature, "not tried" if row.reads is None else "no call")
    ),
)
