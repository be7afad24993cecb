"""Sets of memories: what a line may be, and what is said of one that is none."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.cli.commands.bench import BUNDLED
from moltnet.entrypoints.cli.scoring.rankings import MemoryQuestion, MemorySetInvalid, parse, read_memory_set

ENTRY = '{"entry": "a", "content": "The heron waits", "title": "Birds", "tags": ["x"]}'
QUESTION = '{"query": "what waits", "relevant": ["a"], "kind": "time"}'


def test_entries_and_questions_are_read() -> None:
    read = parse(
        [ENTRY, "", QUESTION, '{"query": "how much", "relevant": {"a": 2.5}}', '{"query": "-", "relevant": []}']
    )
    (entry,) = read.entries
    assert (entry.id, entry.new.content, entry.new.title, entry.new.tags) == ("a", "The heron waits", "Birds", ("x",))
    assert read.questions == (
        MemoryQuestion("what waits", {"a": 1.0}, "time"),
        MemoryQuestion("how much", {"a": 2.5}),
        MemoryQuestion("-", {}),
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "it is not JSON: Expecting property name"),
        ("[" * 100_000, "it is not JSON: "),
        ("[]", "it is not a JSON object"),
        ("3", "it is not a JSON object"),
        ("{}", "query is missing"),
        ('{"entry": "b"}', "content is missing"),
        ('{"entry": "b", "content": ""}', "content must be a text that is not empty"),
        ('{"entry": "b", "content": 7}', "content must be a text that is not empty"),
        ('{"entry": "", "content": "x"}', "entry must be a text that is not empty"),
        ('{"entry": "b", "content": "\\u0000"}', "content holds a character that cannot be stored"),
        ('{"entry": "b", "content": "\\ud800"}', "content holds a character that cannot be stored"),
        ('{"entry": "b", "content": "x", "tags": "y"}', "tags must be a list of texts"),
        ('{"entry": "b", "content": "x", "tags": [1]}', "a tag must be a text that is not empty"),
        ('{"entry": "b", "content": "x", "date": 1}', "an entry has no member 'date'"),
        ('{"query": "b", "content": "x"}', "a question has no member 'content'"),
        (json.dumps({"entry": "b", "content": "x" * 10_001}), "body/content must NOT have more than 10000 characters"),
        (json.dumps({"entry": "b", "content": "x", "title": "x" * 300}), "a title has at most 255 characters"),
        ('{"query": "", "relevant": []}', "query must be a text that is not empty"),
        (json.dumps({"query": "x" * 501, "relevant": []}), "a query has 1 to 500 characters"),
        ('{"query": "x"}', "relevant must be a list of entries' ids, or map ids to grades"),
        ('{"query": "x", "relevant": [1]}', "an id in relevant must be a text"),
        ('{"query": "x", "relevant": {"a": 0}}', "a grade in relevant must be a number above 0"),
        ('{"query": "x", "relevant": {"a": true}}', "a grade in relevant must be a number above 0"),
        ('{"query": "x", "relevant": {"a": Infinity}}', "a grade in relevant must be a number above 0"),
        ('{"query": "x", "relevant": {"a": "1"}}', "a grade in relevant must be a number above 0"),
        ('{"query": "x", "relevant": ["nobody"]}', "there is no entry 'nobody'"),
        (ENTRY, "there is an entry 'a' already"),
    ],
)
def test_a_line_that_is_wrong_is_named(line: str, told: str) -> None:
    with pytest.raises(MemorySetInvalid) as refusal:
        parse([ENTRY, QUESTION, "", line])
    assert refusal.value.detail.startswith(f"line 4: {told}"), refusal.value.detail


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "it contains no entries"),
        ([ENTRY], "it contains no question with a relevant entry"),
        ([ENTRY, '{"query": "x", "relevant": []}'], "it contains no question with a relevant entry"),
        (['{"query": "x", "relevant": []}'], "it contains no entries"),
    ],
)
def test_a_set_has_an_entry_and_a_question(lines: list[str], told: str) -> None:
    with pytest.raises(MemorySetInvalid) as refusal:
        parse(lines)
    assert refusal.value.detail == told


@given(st.text(max_size=60))
def test_any_line_is_read_or_named(line: str) -> None:
    try:
        parse([ENTRY, QUESTION, line])
    except MemorySetInvalid as refusal:
        assert refusal.detail.startswith("line 3: ")  # noqa: PT017  # both outcomes are fine
    else:
        assert not line.strip()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "wrong").write_text("7\n", encoding="utf-8")
    for name, told in (
        ("absent", " cannot be read: No such file or directory"),
        ("bytes", " is not UTF-8"),
        ("wrong", ": line 1: it is not a JSON object"),
    ):
        with pytest.raises(MemorySetInvalid) as refusal:
            read_memory_set(tmp_path / name)
        assert refusal.value.detail == f"{tmp_path / name}{told}"


def test_the_bundled_set_is_what_its_script_writes() -> None:
    from bench.memory_set import lines, written  # noqa: PLC0415  # a script, not part of the package

    assert BUNDLED.read_text(encoding="utf-8") == "".join(f"{line}\n" for line in lines(written()))
    bundled = read_memory_set(BUNDLED)
    assert len(bundled.entries) == 399
    assert len({entry.new.content for entry in bundled.entries}) > 390
    assert {question.kind for question in bundled.questions} == {
        *("single fact", "several facts", "time", "latest", "preference", "negation", "no answer")
    }
