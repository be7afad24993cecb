"""What a search found, as a person reads it."""

from collections.abc import Iterator, Mapping
from typing import Any

from moltnet.entrypoints.cli.columns import AGE, MEMORY
from moltnet.entrypoints.cli.tables import Column, printable, table

_SCORE = Column("SCORE", lambda row: _two_digits(row.get("score")), style="bold", no_wrap=True, right=True)


def result_text(shown: dict[str, Any], names: Mapping[str, str]) -> str:
    """The table of what was found; whether it looks like an answer; and, where it was asked for, why.

    `names` are those of the diaries, by id.
    """
    return "\n".join(_parts(shown, names))


def _parts(shown: dict[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    results = shown["results"]
    diary = Column("DIARY", lambda row: printable(names.get(str(row.get("diaryId")), "shared")))
    yield table(results, (_SCORE, diary, AGE, MEMORY), "Nothing found.")
    if results and shown.get("confident") is False:
        yield (
            "\nA best guess: it may not be what you asked for."
            if len(results) == 1
            else ("\nBest guesses, the likeliest first: they may not be what you asked for.")
        )
    for entry in shown["results"]:
        if "explanation" in entry:
            yield f"\n{entry['id']}: {_why(entry['explanation'])}"
    left_out = shown.get("leftOut")
    if left_out:
        yield "\nLeft out:"
        yield from (f"  {each['id']}  {_two_digits(each['score'])}  {each['reason']}" for each in left_out)


def _why(explanation: dict[str, Any]) -> str:
    sides = []
    if "cosine" in explanation:
        sides.append(f"meaning {_two_digits(explanation['cosine'])}{_rank(explanation.get('cosineRank'))}")
    sides.append(f"words {_two_digits(explanation['words'])}{_rank(explanation.get('wordsRank'))}")
    if explanation["matchedWords"]:
        sides.append("matched " + ", ".join(map(printable, explanation["matchedWords"])))
    if explanation["timely"]:
        sides.append("of the time that was asked for")
    passage = explanation.get("passage")
    nearest = " ".join(printable(passage["text"]).split()) if passage else ""
    return "; ".join(sides) + (f"\n  {nearest}" if nearest else "")


def _rank(rank: int | None) -> str:
    return "" if rank is None else f" (no. {rank})"


def _two_digits(number: object) -> str:
    return f"{number:.2f}" if isinstance(number, int | float) else ""
