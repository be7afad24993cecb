"""The six commands of Anthropic's memory tool, and the paths that they refuse."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet import Conflict
from moltnet.entrypoints.integrations.memory_files import FileRefused, MemoryFiles, file_path, sentence_of


@pytest.fixture
def files(moltnet_agent):
    return MemoryFiles(moltnet_agent, "default")


async def test_a_file_is_made_viewed_and_edited(files):
    await files.create("/memories/notes.md", "one\ntwo\nthree\n")
    assert await files.view("/memories/notes.md") == (
        "Here's the content of /memories/notes.md with line numbers:\n     1\tone\n     2\ttwo\n     3\tthree\n     4\t"
    )
    assert (await files.view("/memories/notes.md", [2, 3])).endswith("numbers:\n     2\ttwo\n     3\tthree")
    assert (await files.view("/memories/notes.md", [3, -1])).endswith("     3\tthree\n     4\t")
    edited = await files.str_replace("/memories/notes.md", "two", "2\n2½")
    assert edited.endswith("     1\tone\n     2\t2\n     3\t2½\n     4\tthree\n     5\t")
    await files.insert("/memories/notes.md", 0, "zero\n")
    await files.insert("/memories/notes.md", 5, "four")
    assert (await files.view("/memories/notes.md", [1, 6])).endswith("5\tthree\n     6\tfour")


async def test_a_folder_shows_two_levels_with_sizes(files):
    assert (await files.view("/memories")).endswith("2 levels deep in /memories:\n0B\t/memories")
    await files.create("/memories/a.txt", "abc")
    await files.create("/memories/deep/er/est.txt", "x" * 2048)
    assert (await files.view("/memories/")).splitlines()[1:] == [
        "2.0K\t/memories",
        "3B\t/memories/a.txt",
        "2.0K\t/memories/deep/",
        "2.0K\t/memories/deep/er/",
    ]
    assert (await files.view("/memories/deep/er")).splitlines()[1:] == [
        "2.0K\t/memories/deep/er",
        "2.0K\t/memories/deep/er/est.txt",
    ]


async def test_files_and_folders_are_moved_and_deleted(files):
    await files.create("/memories/old/a", "1")
    await files.create("/memories/old/b", "2")
    await files.create("/memories/older", "3")
    await files.rename("/memories/old", "/memories/new/place")
    assert "1" in await files.view("/memories/new/place/a")
    await files.rename("/memories/older", "/memories/old")
    await files.delete("/memories/new")
    assert (await files.view("/memories")).splitlines()[2:] == ["1B\t/memories/old"]


async def test_an_empty_file_is_a_file(files):
    await files.create("/memories/empty", "")
    await files.insert("/memories/empty", 0, "a line")
    assert (await files.view("/memories/empty")).splitlines()[1] == "     1\ta line"


REFUSALS = [
    ("create", ("/memories/a", "x"), "already exists"),
    ("create", ("/memories", "x"), "already exists"),
    ("create", ("/memories/a/below", "x"), "File /memories/a already exists"),
    ("create", ("/memories/folder", "x"), "File /memories/folder/b already exists"),
    ("create", ("/memories/long", "x" * 10_001), "at most 10000"),
    ("view", ("/memories/b",), "does not exist"),
    ("str_replace", ("/memories/a", "absent", "x"), "did not appear verbatim"),
    ("str_replace", ("/memories/a", "", "x"), "did not appear verbatim"),
    ("str_replace", ("/memories/a", "twice", "x"), "in lines: 1, 2"),
    ("str_replace", ("/memories/b", "x", "y"), "does not exist"),
    ("insert", ("/memories/a", 3, "x"), r"\[0, 2\]"),
    ("insert", ("/memories/a", -1, "x"), r"\[0, 2\]"),
    ("insert", ("/memories/b", 0, "x"), "does not exist"),
    ("delete", ("/memories/b",), "does not exist"),
    ("delete", ("/memories/",), "cannot be deleted"),
    ("rename", ("/memories/b", "/memories/c"), "does not exist"),
    ("rename", ("/memories", "/memories/c"), "does not exist"),
    ("rename", ("/memories/a", "/memories/a/b"), "already exists"),
    ("rename", ("/memories/a", "/memories"), "already exists"),
    ("rename", ("/memories/folder/b", "/memories/a/b"), "already exists"),
]


async def test_a_refusal_is_a_sentence_and_changes_nothing(files):
    await files.create("/memories/a", "twice\ntwice\n")
    await files.create("/memories/folder/b", "1")
    before = await files.view("/memories/a")
    for command, arguments, sentence in REFUSALS:
        with pytest.raises(FileRefused, match=sentence):
            await getattr(files, command)(*arguments)
    assert await files.view("/memories/a") == before


HOSTILE = [
    "/etc/passwd",
    "memories/a",
    "/memories/../etc/passwd",
    "/memories/a/../../b",
    "/memories/./a",
    "/memories//a",
    "/memoriesx/a",
    "/memories/..\\..\\a",
    "/memories/%2e%2e%2fetc",
    "/memories/a\0b",
    "/memories/a\nb",
    "/memories/\ud800",
    "",
    "/",
]


async def test_a_path_that_leads_elsewhere_is_refused_by_every_command(files):
    for path in HOSTILE:
        for command, arguments in (
            ("view", (path,)),
            ("create", (path, "x")),
            ("str_replace", (path, "x", "y")),
            ("insert", (path, 0, "x")),
            ("delete", (path,)),
            ("rename", (path, "/memories/b")),
            ("rename", ("/memories/b", path)),
        ):
            with pytest.raises(FileRefused):
                await getattr(files, command)(*arguments)


SEGMENTS = st.lists(st.sampled_from(["..", ".", "a", "", "%2e", "\\", "memories"]))


@given(st.text() | SEGMENTS.map(lambda segments: "/".join(["/memories", *segments])))
def test_no_path_leads_out_of_its_folder(path):
    try:
        checked = file_path(path)
    except FileRefused:
        return
    assert checked == "/memories" or checked.startswith("/memories/")
    assert not {"..", ".", ""} & set(checked.split("/")[1:])


async def test_of_two_edits_at_once_one_is_asked_to_read_again(files):
    await files.create("/memories/a", "x")
    edits = (files.str_replace("/memories/a", "x", text) for text in ("y", "z"))
    ended = await asyncio.gather(*edits, return_exceptions=True)
    refused = [error for error in ended if isinstance(error, Conflict)]
    assert len(refused) <= 1
    assert all("View it again" in sentence_of(error, "/memories/a") for error in refused)


async def test_files_are_found_by_meaning_as_any_memory(files, moltnet_agent):
    await files.create("/memories/people.md", "Ada likes rye bread")
    found = await moltnet_agent.diary.search("bread")
    assert found.hits[0].entry.title == "/memories/people.md"
