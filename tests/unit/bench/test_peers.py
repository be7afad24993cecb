"""The arithmetic of `bench.peers`: what counts as lost, which store counts as one that loses nothing, and the lines."""

import asyncio

import pytest

from bench.peers.store import called
from bench.peers.table import Row, aims, difference, lines

REST, LIBRARY = "MoltNet, REST", "MoltNet, library"


def a_row(name: str, *, many: float, search_s: float = 0.01, **members: object) -> Row:
    return Row(name=name, many_per_s=[many], search_s=[search_s], alone_per_s=[1.0], asked=9, acknowledged=9, **members)


def test_lost_and_doubled_are_counted_by_text() -> None:
    assert difference(["a", "b", "c"], ["b", "b", "d", "c", "b"]) == (1, 2)


def test_only_the_best_that_loses_nothing_is_compared_with() -> None:
    rows = [
        a_row(REST, many=300, search_s=0.012),
        a_row(LIBRARY, many=900),
        a_row("chromadb", many=50, search_s=0.01),
        a_row("mem0", many=200, lost=1),
        a_row("fast", many=500, gone=1),
        a_row("faster", many=600, errors=["refused"]),
        a_row("sound", many=100),
        Row(name="away", absent="not installed"),
    ]
    search, library, best, mem0 = aims(rows)
    assert (search.ratio, library.ratio, best.ratio, mem0.ratio) == (pytest.approx(1.2), 1.0, 3.0, 1.5)
    assert "sound" in best.line()
    assert "reached" in best.line()
    assert "missed" in aims([*rows[:3], a_row("sound", many=101)])[2].line()


def test_what_was_not_measured_has_no_ratio_and_says_why() -> None:
    rows = [a_row(REST, many=1), Row(name="chromadb", absent="ModuleNotFoundError: No module named 'chromadb'")]
    assert all(aim.ratio is None for aim in aims(rows))
    told = list(lines(rows))
    assert aims([a_row(REST, many=1), Row(name="chromadb", errors=["broken"])])[0].ratio is None
    assert "failed" in "".join(lines([Row(name="chromadb", errors=["broken"])]))
    assert "chromadb: not measured: ModuleNotFoundError: No module named 'chromadb'" in told
    assert sum("not measured (aim" in line for line in told) == 4


def test_nothing_is_shown_of_what_was_not_tried() -> None:
    told = list(lines([Row(name="chromadb", version="1")]))
    assert [set(told[number].split()[1:]) for number in (2, 6)] == [{"-"}, {"1", "not", "tried"}]
    assert "None: not measured" in told[-2]


def test_lines_fit_a_page() -> None:
    row = a_row("MoltNet, one model", many=12_345, search_s=12.3, errors=["e" * 300], lost=2000, doubled=20_000)
    row.unfound, row.acknowledged, row.gone, row.shared = 2000, 10_000, 10_000, "one at a time"
    assert max(map(len, lines([row]))) <= 100


@pytest.mark.parametrize("way", ["tasks", "threads"])
async def test_each_text_is_called_with_once_and_failures_are_not_acknowledged(way: str) -> None:
    seen, told = list[str](), list[str]()

    def act(text: str) -> None:
        seen.append(text)
        if text == "7":
            raise ValueError(text)

    async def awaited(text: str) -> None:
        await asyncio.sleep(0)
        act(text)

    texts = [str(number) for number in range(40)]
    done = await called(awaited if way == "tasks" else act, texts, 8, told.append)
    assert sorted(seen) == sorted(texts)
    assert sorted(done.acknowledged) == sorted(told) == sorted({*texts} - {"7"})
    assert len(done.seconds) == 39
    assert done.errors == ["ValueError: 7"]
