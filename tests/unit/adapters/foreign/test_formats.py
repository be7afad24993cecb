"""What other programs write, as candidates for import; and what of it cannot be."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.foreign import json_items
from moltnet.adapters.foreign.pieces import clean_tags, parts_of, time_of
from moltnet.domain.archives import FORMATS, ImportFormat, UnknownFormat
from moltnet.domain.entries import CONTENT_MAX, EntryType, NewEntry
from moltnet.domain.imports import Candidate, Unreadable
from moltnet.entrypoints.container import sources
from tests.support.foreign import chatgpt_chat, claude_chat, samples


def found(path: Path, source_format: ImportFormat | None = None) -> tuple[list[NewEntry], list[Unreadable]]:
    with sources.opened(path, source_format, (), None) as source:
        everything = list(source.found)
    entries = [each.new for each in everything if isinstance(each, Candidate) and each.new]
    return entries, [each for each in everything if isinstance(each, Unreadable)]


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.mark.parametrize(
    ("name", "format_", "diary", "texts"),
    [
        ("chatgpt.zip", "chatgpt", "ChatGPT", ["User: Shall we move the standup?\n\nAssistant: To ten."]),
        ("claude.json", "claude", "Claude", ["User: Why did it fail?\n\nAssistant: The callback URL."]),
        ("mem0.json", "mem0", "mem0", ["Prefers short updates", "Drinks tea"]),
        ("memories.jsonl", "jsonl", "Imported", ["Line one", "Line two"]),
    ],
)
def test_a_format_is_recognized_and_read(tmp_path: Path, name: str, format_: str, diary: str, texts: list[str]) -> None:
    path = samples(tmp_path) / name
    with sources.opened(path, None, (), None) as source:
        assert (source.format, source.diaries) == (format_, (diary,))
    entries, problems = found(path)
    assert [each.content for each in entries] == texts
    assert problems == []


def test_a_conversation_says_when_it_was(tmp_path: Path) -> None:
    [[chat], _] = found(samples(tmp_path) / "chatgpt.zip")
    assert (chat.title, chat.tags, chat.entry_type) == ("Standup", ("chatgpt",), EntryType.EPISODIC)
    assert chat.occurred_at == datetime(2024, 5, 6, 7, 0, 10, tzinfo=UTC)
    [[talk], _] = found(tmp_path / "claude.json")
    assert talk.occurred_at == datetime(2024, 5, 6, 7, 0, 5, 123456, tzinfo=UTC)


def test_notes_keep_front_matter_tags_and_names(tmp_path: Path) -> None:
    entries, problems = found(samples(tmp_path) / "vault")
    assert problems == []
    assert [(each.title, each.tags, each.occurred_at) for each in entries] == [
        ("Deploy of May", ("ops", "oauth", "urgent"), datetime(2024, 5, 6, tzinfo=UTC)),
        ("Coffee", ("coffee", "brewing"), None),
        ("A heading", None, None),
    ]
    assert "[[Callback]]" in entries[0].content
    assert "title:" not in entries[0].content


def test_a_long_conversation_is_cut_between_messages(tmp_path: Path) -> None:
    long = chatgpt_chat(words="word " * 1500, answer="other " * 4000)
    entries, _ = found(written(tmp_path, "conversations.json", [long]))
    assert [each.title for each in entries] == [f"Standup ({n}/4)" for n in range(1, 5)]
    assert all(len(each.content) <= CONTENT_MAX for each in entries)
    assert sum(each.content.count("word") + each.content.count("other") for each in entries) == 5500


def test_the_same_is_named_alike_and_what_was_changed_is_not(tmp_path: Path) -> None:
    def keys(*chats: object) -> list[str]:
        with sources.opened(written(tmp_path, "conversations.json", list(chats)), None, (), None) as source:
            return [each.origin.key for each in source.found if isinstance(each, Candidate)]

    first, again, grown, other = keys(
        chatgpt_chat(), chatgpt_chat(), chatgpt_chat(answer="To eleven."), chatgpt_chat("c2")
    )
    assert first == again
    assert len({first, grown, other}) == 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'[{"memory": "good"}, {"memory": "cut', "item 2: the JSON is damaged"),
        (b'[{"memory": "good"}, {"memory": "\xff\xfe"}]', "item 2: the JSON is damaged"),
        (b'[{"memory": "good"}, 7]', "item 2: it is no object"),
        (b'[{"memory": "good"}, {"memory": 7}]', "item 2: there is no text"),
        (b'[{"memory": "good"}, {"memory": " "}]', "item 2: there is no text"),
        (b'[{"memory": "good"}, {"memory": "a\\u0000b"}]', "item 2: a text must NOT contain U+0000"),
        (b'[{"memory": "good"}, ' + b"[" * 100_000 + b"]" * 100_000 + b"]", "item 2: "),
    ],
)
def test_what_is_good_is_read_and_the_rest_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    entries, [wrong] = found(written(tmp_path, "m.json", content))
    assert [each.content for each in entries] == ["good"]
    assert problem in f"{wrong.position}: {wrong.reason}"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not an object of JSON"),
        (b"[1]", "not an object of JSON"),
        (b"[" * 100_000, "not an object of JSON"),
        (b'{"content": "\xff"}', "not UTF-8"),
        (b'{"content": "\\ud800"}', "valid Unicode"),
        (b'{"other": "x"}', "no text in any of"),
        (b'{"content": "x", "occurredAt": "2026-13-01"}', "occurredAt is not a time"),
        (b'{"content": "x", "occurred_at": [2026]}', "occurred_at is not a time"),
        (b'{"content": "' + b"x" * 2**21 + b'"}', "more than"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, reason: str) -> None:
    path = written(tmp_path, "m.jsonl", b'\xef\xbb\xbf{"content": "good"}\n\n' + line + b"\n")
    entries, [wrong] = found(path)
    assert [each.content for each in entries] == ["good"]
    assert wrong.position == "m.jsonl:3"
    assert reason in wrong.reason


@pytest.mark.parametrize(
    "chat",
    [
        {"mapping": 7},
        {"mapping": {"a": 7}},
        {"mapping": {"a": {"message": {"author": None}}}},
        {"mapping": {"a": {"message": {"author": {"role": "user"}, "content": 7}}}},
    ],
)
def test_a_conversation_of_another_form_is_named(tmp_path: Path, chat: object) -> None:
    entries, [wrong] = found(written(tmp_path, "conversations.json", [chatgpt_chat(), chat]))
    assert len(entries) == 1
    assert "another form" in wrong.reason


def test_nodes_in_a_circle_end(tmp_path: Path) -> None:
    chat = chatgpt_chat()
    chat["mapping"]["a"]["parent"] = "d"
    assert len(found(written(tmp_path, "conversations.json", [chat]))[0]) == 1


def test_an_empty_conversation_has_no_text(tmp_path: Path) -> None:
    empty = claude_chat() | {"chat_messages": []}
    assert found(written(tmp_path, "claude.json", [empty]))[1][0].reason == "there is no text in it"


def test_an_item_that_is_too_large_ends_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_items, "ITEM_MAX", 100_000)
    long = [{"memory": "good"}, {"memory": "x" * 300_000}]
    path = written(tmp_path, "m.json", long)
    entries, [wrong] = found(path, ImportFormat.MEM0)
    assert [each.content for each in entries] == ["good"]
    assert "bytes" in wrong.reason


def test_a_file_that_grows_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_items, "ITEM_MAX", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", b" " * 10_000_000)
    with pytest.raises(json_items.ItemTooLarge):
        found(tmp_path / "bomb.zip", ImportFormat.CHATGPT)
    with pytest.raises(UnknownFormat):
        found(tmp_path / "bomb.zip")


@pytest.mark.parametrize(
    ("front", "body"),
    [
        ("title: [", "text"),
        ("a: &a [x]\nb: *a", "text"),
        ("- a list", "text"),
        ("title: 2024-99-99", "text"),
        ("x: " + "[" * 1100, "text"),
    ],
)
def test_what_is_no_front_matter_stays_in_the_text(tmp_path: Path, front: str, body: str) -> None:
    (tmp_path / "A.md").write_text(f"---\n{front}\n---\n{body}\n")
    [[note], problems] = found(tmp_path / "A.md")
    assert problems == []
    assert "text" in note.content


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    vault = tmp_path / "vault"
    (tmp_path / "Secret.md").write_text("outside")
    (vault / "Link.md").symlink_to(tmp_path / "Secret.md")
    (vault / "Latin.md").write_bytes("größer".encode("latin-1"))
    (vault / "Utf16.md").write_bytes("text".encode("utf-16"))
    (vault / "Empty.md").write_text("---\ntitle: x\n---\n")
    (vault / "Huge.md").write_text("x" * (4 * 2**20 + 1))
    (vault / "Nul.md").write_text("a\0b")
    (vault / "Line\nBreak.md").write_text("text")
    (vault / "Good.md").write_text("good", encoding="utf-8-sig")
    entries, problems = found(vault)
    assert [(each.title, each.content) for each in entries] == [("Good", "good")]
    assert {each.position for each in problems} == {
        *("Link.md", "Latin.md", "Utf16.md", "Empty.md", "Huge.md", "Nul.md"),
        ascii("Line\nBreak.md"),
    }


@pytest.mark.parametrize("name", ["x.bin", "x.json", "x.zip"])
def test_an_unknown_file_is_refused_with_the_names_of_the_formats(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownFormat, match=", ".join(FORMATS)):
        found(written(tmp_path, name, b"?"))


@given(st.text(), st.integers(1, 50))
def test_parts_lose_nothing_but_white_space(text: str, most: int) -> None:
    parts = list(parts_of(text, most))
    assert all(0 < len(part) <= most for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(st.lists(st.text() | st.integers() | st.none()))
def test_tags_are_as_entries_have_them(tags: list[object]) -> None:
    found_tags = list(clean_tags(tags))
    assert len(found_tags) == len(set(found_tags)) <= 20
    assert all(0 < len(tag) <= 50 and tag == tag.strip() for tag in found_tags)


def test_a_note_whose_time_cannot_be_read_is_named_where_it_is_an_entry_s_own(tmp_path: Path) -> None:
    for name, front in (("bad", "occurredAt: soon"), ("free", "date: in May"), ("none", "occurredAt: ''")):
        written(tmp_path, f"{name}.md", f"---\n{front}\n---\n{name}".encode())
    entries, [wrong] = found(tmp_path)
    assert [(each.content, each.occurred_at) for each in entries] == [("free", None), ("none", None)]
    assert wrong.position.removesuffix(".md") == "bad"
    assert "occurredAt is not a time" in wrong.reason


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes())
def test_any_value_is_a_time_or_none(value: object) -> None:
    at = time_of(value)
    assert at is None or at.tzinfo is UTC


def test_times_are_in_seconds_or_milliseconds() -> None:
    assert time_of(1714978800) == time_of(1714978800000) == datetime(2024, 5, 6, 7, tzinfo=UTC)
