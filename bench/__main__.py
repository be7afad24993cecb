"""What the whole costs beside its parts: bare loops, the embedder alone, and the same work through REST."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.bare import bare_searches, bare_writes
from bench.rates import Rate
from bench.rest import through_rest
from bench.server import cores
from bench.texts import memories, paragraphs, questions

NOTES, PARAGRAPHS, SEARCHES = 600, 200, 400


def main() -> None:
    """Runs everything and prints tables."""
    notes, long_notes, asked = list(memories(NOTES)), list(paragraphs(PARAGRAPHS)), list(questions(SEARCHES))
    print(f"{cores()} cores, shared by server, database and clients\n")
    with tempfile.TemporaryDirectory(prefix="moltnet-bench-") as folder:
        rest = through_rest(Path(folder) / "rest", notes, long_notes, asked)
        for title, bare, through in (
            ("writes of notes, about 60 tokens", bare_writes(Path(folder) / "notes", notes), rest.notes),
            ("writes of paragraphs, about 230 tokens", bare_writes(Path(folder) / "long", long_notes), rest.paragraphs),
        ):
            _table(title, [*bare, *through], bare[-1])
        bare = bare_searches(Path(folder) / "rest", rest.diary, asked)
        _table(f"searches among {rest.entries} entries", [*bare, *rest.searches], None)
    print("aims: one writer 1.25 times the bare loop, 16 writers .65 of the embedder")
    for fact in rest.facts:
        print(fact)


def _table(title: str, rates: Sequence[Rate], embedder: Rate | None) -> None:
    """Times beside the first line's, and rates beside the embedder's."""
    print(f"{title:<44}{'per s':>9}{'p50 ms':>9}{'time vs bare':>14}{'rate vs embedder' if embedder else '':>18}")
    for rate in rates:
        beside = f"{rate.per_s / embedder.per_s:>18.2f}" if embedder else ""
        print(f"  {rate.name:<42}{rate.per_s:>9.1f}{rate.p50_ms:>9.2f}{rate.p50_ms / rates[0].p50_ms:>14.2f}{beside}")
    print()


if __name__ == "__main__":
    main()
