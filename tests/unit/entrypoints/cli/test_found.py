"""What a search found, for a person."""

import re
from typing import Any

from moltnet.entrypoints.cli.tables import search_text

NAMES = {"d": "Harbour"}
ENTRY = {
    "id": "1",
    "diaryId": "d",
    "content": "The heron waits",
    "createdAt": "2026-01-30T00:00:00Z",
    "entryType": "semantic",
}
EXPLAINED = {
    "cosine": 0.512,
    "cosineRank": 1,
    "words": 0.25,
    "expansion": 0.404,
    "expansionRank": 2,
    "matchedWords": ["heron\x1b[2J"],
    "timely": True,
    "passage": {"start": 0, "end": 15, "text": "The heron\nwaits"},
}


def shown(result: dict[str, Any]) -> str:
    return search_text(result, NAMES)


def test_nothing_found_is_said() -> None:
    assert shown({"results": [], "confident": False}) == "Nothing found."


def test_a_score_stands_first_and_doubt_last() -> None:
    told = shown({"results": [{**ENTRY, "score": 0.123}], "confident": False})
    assert told.splitlines()[2].split()[0] == "0.12"
    assert told.endswith("A best guess: it may not be what you asked for.")
    two = [{**ENTRY, "score": 0.2}, {**ENTRY, "score": 0.1}]
    assert "Best guesses, the likeliest first" in shown({"results": two, "confident": False})
    assert "guess" not in shown({"results": [{**ENTRY, "score": 0.9}], "confident": True})
    assert shown({"results": [ENTRY]}).splitlines()[2].split()[0] == "Harbour"


def test_a_hit_names_its_diary_and_its_age() -> None:
    told = shown({"results": [ENTRY, {**ENTRY, "diaryId": "of another"}]})
    assert all(heading in told.splitlines()[0] for heading in ("DIARY", "AGE"))
    assert "Harbour" in told
    assert "shared" in told
    assert re.search(r"\d (min|h|days?|months?|years?)", told)


def test_reasons_are_reported_and_give_a_terminal_no_orders() -> None:
    left_out = {"id": "2", "diaryId": "3", "score": 0.5, "reason": "tags"}
    result = {"results": [{**ENTRY, "score": 0.4, "explanation": EXPLAINED}], "confident": True, "leftOut": [left_out]}
    told = shown(result)
    sides = "meaning 0.51 (no. 1); words 0.25; calls up 0.40 (no. 2)"
    assert f"1: {sides}; matched heron\ufffd[2J; of the time that was asked for" in told
    assert "\n  The heron waits\n" in told
    assert told.endswith("Left out:\n  2  0.50  tags")
    bare = {"words": 0.0, "matchedWords": [], "timely": False}
    assert shown({"results": [{**ENTRY, "explanation": bare}]}).endswith("1: words 0.00")
