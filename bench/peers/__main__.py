"""The whole comparison: `make bench-peers`, or `python -m bench.peers [--memories N] [--json] [--only NAME …]`."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from bench.peers.others import OTHERS
from bench.peers.ours import OURS
from bench.peers.phases import Bench, kill, living, noted, probe, share, speed, wait_for_disk
from bench.peers.table import Row, aims, lines
from bench.server import cores
from bench.texts import memories
from moltnet.adapters.onnx.install import default_model

CLIENTS, TURNS = 16, 10


def main() -> None:
    """Measures, and prints tables or JSON."""
    options = _options()
    rows = [Row(name=name) for name in (*OURS, *OTHERS) if not options.only or name in options.only]
    with tempfile.TemporaryDirectory(prefix="moltnet-peers-") as folder:
        bench = Bench(Path(folder), options.others, default_model(), list(memories(options.memories)), CLIENTS, TURNS)
        try:
            _measure(bench, rows)
        except KeyboardInterrupt:
            print("Stopped: the rest was not measured.", file=sys.stderr)
    if options.json:
        print(json.dumps({"rows": [row.json() for row in rows], "aims": [aim.line() for aim in aims(rows)]}, indent=2))
        return
    print(
        f"{options.memories} memories, {cores()} cores, shared by all; {CLIENTS} are many; medians of {TURNS} turns\n"
    )
    print(*lines(rows), sep="\n")


def _measure(bench: Bench, rows: Sequence[Row]) -> None:
    speed(bench, rows)
    phases = [kill, probe, share, *([wait_for_disk] if shutil.which("strace") else [])]
    for phase in tqdm(phases, desc="guarantees", leave=False, disable=None):
        for row in living(rows):
            with noted(row):
                phase(bench, row)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument(
        "--memories", type=int, default=2_000, help="how many are written into each store (400 or more)"
    )
    parser.add_argument("--json", action="store_true", help="every figure, as JSON")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[*OURS, *OTHERS], help="these stores alone")
    python = Path(f"{sys.prefix}-peers") / "bin" / "python"
    parser.add_argument(
        "--others", type=Path, default=python, metavar="PYTHON", help=f"whose packages they are: {python}"
    )
    options = parser.parse_args()
    if options.memories < 2 * max(TURNS * 20, CLIENTS):
        parser.error("too few memories for so many turns")
    return options


if __name__ == "__main__":
    main()
