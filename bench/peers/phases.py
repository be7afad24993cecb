"""What is tried of the stores: how fast they are, in turns; what is there afterwards; and who may do what."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import attrs
from tqdm import tqdm

from bench.peers.ours import OURS
from bench.peers.process import Worker, WorkerFailed, worker
from bench.peers.table import Row, difference
from bench.texts import questions

SEARCHES, ALONE, WARM = 40, 30, 5
"""Searches and writes of one client in a turn, and searches before the first of them."""
FOUND_AGAIN, WAITED_FOR, TOGETHER = 200, 20, 50
"""Searched for by their own text; written while waits for the disk are counted; written by each of two processes."""
KILLED_AFTER = (100, 300)
"""How many writes are acknowledged when the process is killed, each time in a new folder."""


@attrs.frozen
class Bench:
    """Where stores are, the interpreter of other stores, and with what all of them are run."""

    folder: Path
    others: Path
    model: Path
    texts: Sequence[str]
    clients: int
    turns: int

    def worker(self, row: Row, place: str, traced: Path | None = None) -> AbstractContextManager[Worker]:
        """A store's process; its files are in a folder by that name."""
        python = Path(sys.executable) if row.name in OURS else self.others
        return worker(row.name, self.folder / row.name / place, python, self.model, traced=traced)


@contextmanager
def noted(row: Row) -> Iterator[None]:
    """A store that cannot be opened, or ends before its time, is left out with the reason."""
    try:
        yield
    except WorkerFailed as error:
        row.absent = str(error)


def speed(bench: Bench, rows: Sequence[Row]) -> None:
    """Writes and searches, in turns with all stores open; then what is there, in new processes."""
    written = {row.name: list[str]() for row in rows}
    with ExitStack() as stack:
        opened: list[tuple[Row, Worker]] = []
        for row in rows:
            with noted(row):
                store = stack.enter_context(bench.worker(row, "speed"))
                row.version = store.version
                opened.append((row, store))
        for texts in tqdm(_parts(bench.texts, bench.turns), desc="writing", leave=False, disable=None):
            for row, store in _living(opened):
                with noted(row):
                    _write(store, bench.clients, texts, row, written[row.name])
        asked = list(questions(SEARCHES * bench.turns + WARM))
        for row, store in _living(opened):
            with noted(row):
                store.ask("search", asked[:WARM])
        for texts in tqdm(_parts(asked[WARM:], bench.turns), desc="searching", leave=False, disable=None):
            for row, store in _living(opened):
                with noted(row):
                    _search(store, texts, row)
    for row in living(rows):
        with noted(row):
            _check(bench, row, written[row.name])


def living(rows: Sequence[Row]) -> Iterator[Row]:
    """Those that nothing has happened to."""
    return (row for row in rows if not row.absent)


def _living(opened: Sequence[tuple[Row, Worker]]) -> Iterator[tuple[Row, Worker]]:
    return ((row, store) for row, store in opened if not row.absent)


def _parts(texts: Sequence[str], number: int) -> list[Sequence[str]]:
    size = len(texts) // number
    return [texts[start : start + size] for start in range(0, size * number, size)]


def _write(store: Worker, clients: int, texts: Sequence[str], row: Row, written: list[str]) -> None:
    for part, number, rates in ((texts[:ALONE], 1, row.alone_per_s), (texts[ALONE:], clients, row.many_per_s)):
        before = store.used_s()
        done = store.ask("write", part, number)
        row.write_cpu_s += store.used_s() - before
        rates.append(len(done["seconds"]) / done["total_s"])
        row.errors += done["errors"]
        written += done["acknowledged"]
    row.written = len(written)


def _search(store: Worker, texts: Sequence[str], row: Row) -> None:
    before = store.used_s()
    done = store.ask("search", texts)
    row.search_cpu_s += store.used_s() - before
    row.search_s += done["seconds"]
    row.errors += done["errors"]


def _check(bench: Bench, row: Row, written: Sequence[str]) -> None:
    with bench.worker(row, "speed") as store:
        row.lost, row.doubled = difference(written, store.ask("contents")["texts"])
        sample = written[:: max(len(written) // FOUND_AGAIN, 1)]
        row.asked, row.unfound = len(sample), len(sample) - store.ask("find", sample)["found"]


def kill(bench: Bench, row: Row) -> None:
    """SIGKILL while many write; the store is opened again, and what was acknowledged is looked for."""
    for number in KILLED_AFTER:
        place = f"killed after {number}"
        with bench.worker(row, place) as store:
            store.tell("write", bench.texts, bench.clients, acknowledged=True)
            acknowledged = [store.answer()["acknowledged"] for _ in range(number)]
            acknowledged += store.kill()
        with bench.worker(row, place) as store:
            row.gone += difference(acknowledged, store.ask("contents")["texts"])[0]
        row.acknowledged += len(acknowledged)


def probe(bench: Bench, row: Row) -> None:
    """Whether somebody else reads and writes, and whether a signature is confirmed."""
    with bench.worker(row, "probe") as store:
        said = store.ask("probe")
    row.reads, row.writes, row.signature = said["reads"], said["writes"], said["signature"]


def share(bench: Bench, row: Row) -> None:
    """Two processes open one folder and write at once; a third one looks what is there."""
    with bench.worker(row, "shared") as first:
        try:
            with bench.worker(row, "shared") as second:
                first.tell("write", bench.texts[:TOGETHER], bench.clients)
                second.tell("write", bench.texts[TOGETHER : 2 * TOGETHER], bench.clients)
                acknowledged = [*first.answer()["acknowledged"], *second.answer()["acknowledged"]]
        except WorkerFailed:
            row.shared = "one at a time"
            return
    with bench.worker(row, "shared") as third:
        lost, _ = difference(acknowledged, third.ask("contents")["texts"])
    row.shared = f"{len(acknowledged) - lost} of {2 * TOGETHER}"


def wait_for_disk(bench: Bench, row: Row) -> None:
    """How often one client's writes wait for the disk, as strace counts them."""
    traced = bench.folder / row.name / "calls"
    with bench.worker(row, "traced", traced) as store:
        store.ask("write", bench.texts[:WAITED_FOR])
        before = _calls(traced)
        store.ask("write", bench.texts[WAITED_FOR : 2 * WAITED_FOR])
        row.syncs = (_calls(traced) - before) / WAITED_FOR


def _calls(traced: Path) -> int:
    return sum("resumed" not in line and "(" in line for line in traced.read_text(encoding="utf-8").splitlines())
