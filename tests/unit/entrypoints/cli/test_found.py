"""What a search found, for a person."""

from moltnet.entrypoints.cli.found import found_text

ENTRY = {"id": "1", "content": "The heron waits", "createdAt": "2026-01-30", "entryType": "semantic"}
EXPLAINED = {
    "cosine": 0.512,
    "cosineRank": 1,
    "words": 0.25,
    "matchedWords": ["heron\x1b[2J"],
    "timely": True,
    "passage": {"start": 0, "end": 15, "text": "The heron\nwaits"},
}


def test_nothing_found_is_said() -> None:
    assert found_text({"results": [], "confident": False}) == "Nothing found."


def test_a_score_stands_first_and_doubt_last() -> None:
    told = found_text({"results": [{**ENTRY, "score": 0.123}], "confident": False})
    assert told.splitlines()[1].startswith("0.12   1")
    assert told.endswith("No close match: these are the nearest.")
    assert "nearest" not in found_text({"results": [{**ENTRY, "score": 0.9}], "confident": True})
    assert found_text({"results": [ENTRY]}).splitlines()[1].split()[0] == "1"


def test_reasons_are_told_and_give_a_terminal_no_orders() -> None:
    left_out = {"id": "2", "diaryId": "3", "score": 0.5, "reason": "tags"}
    shown = {"results": [{**ENTRY, "score": 0.4, "explanation": EXPLAINED}], "confident": True, "leftOut": [left_out]}
    told = found_text(shown)
    assert "1: meaning 0.51 (no. 1); words 0.25; matched heron\ufffd[2J; of the time that was asked for" in told
    assert "\n  The heron waits\n" in told
    assert told.endswith("Left out:\n  2  0.50  tags")
    bare = {"words": 0.0, "matchedWords": [], "timely": False}
    assert found_text({"results": [{**ENTRY, "explanation": bare}]}).endswith("1: words 0.00")
