from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from moltnet.entrypoints.cli.tables import (
    AGE,
    AUTHOR,
    CELL_MAX,
    MEMORY,
    Column,
    age,
    lines,
    printable,
    shortened,
    table,
)

COLUMNS = (Column("ID", "id", no_wrap=True), Column("NAME", "name"))
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LETTERS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=300)


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    rows = [{"id": "1", "name": "a longer name"}, {"id": "22", "name": None}]
    shown = table(rows, COLUMNS, "none").splitlines()
    assert [shown[0], *shown[2:]] == ["ID  NAME", "1   a longer name", "22"]


def test_no_rows_are_said_in_words() -> None:
    assert table([], COLUMNS, "Nothing.") == "Nothing."


@pytest.mark.parametrize("width", [40, 80, 200])
@given(name=LETTERS | st.text("\u90e8\u7f72\U0001f41a", min_size=1, max_size=200))
def test_no_line_of_a_table_is_wider_than_the_terminal(width: int, name: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLUMNS", str(width))
        shown = table([{"id": "1" * 20, "name": name}], COLUMNS, "")
    assert max(map(cell_len, shown.splitlines())) <= width


def test_an_entry_fits_eighty_columns_with_its_id_whole() -> None:
    entry = {
        "id": "7c2f1e0a-0000-4000-8000-000000000000",
        "createdAt": "2026-01-31T09:30:00.000Z",
        "author": {"fingerprint": "BA8A-BD5D-DE63-EF61", "publicKey": "ed25519:" + "k" * 44},
        "title": "\u90e8\u7f72",
        "content": "\u90e8\u7f72\u5931\u8d25 " * 100,
    }
    shown = table([entry], (AGE, AUTHOR, MEMORY), "")
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert f"id {entry['id']}" in shown
    assert "BA8A-BD5D-DE63-EF61" in shown
    assert "ed25519" not in shown


def test_long_and_many_lined_texts_are_cut() -> None:
    cut = shortened("line\n" * 100)
    assert (cell_len(cut), cut[-1], "\n" in cut) == (CELL_MAX, "\u2026", False)


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-01-31T11:59:30Z", "now"),
        ("2026-01-31T11:59:00.000Z", "1 min"),
        ("2026-01-31T10:00:00Z", "2 h"),
        ("2026-01-30T10:00:00Z", "1 day"),
        ("2025-11-30T10:00:00Z", "2 months"),
        ("2020-01-31T10:00:00Z", "6 years"),
        ("2026-02-01T11:30:00Z", "in 23 h"),
        ("soon", "soon"),
        (None, ""),
        ("2026-01-31", "2026-01-31"),
    ],
)
def test_age_is_reported_in_the_largest_unit(moment: object, told: str) -> None:
    assert age(moment, NOW) == told


def test_members_that_are_not_there_are_left_out() -> None:
    assert lines({"id": 1, "title": None, "valid": True}) == "id     1\nvalid  yes"


def test_text_of_many_lines_stands_below_its_name() -> None:
    assert lines({"content": "a\nb"}) == "content\n  a\n  b"


def test_a_signature_is_not_broken_over_lines() -> None:
    assert "x" * 88 in lines({"signature": "x" * 88})


@pytest.mark.parametrize(
    ("value", "text"),
    [(["a", "b"], "a, b"), ({"fingerprint": "F", "publicKey": "K"}, "F"), ({"a": 1}, "a 1"), (False, "no"), ([], "")],
)
def test_value_as_text(value: object, text: str) -> None:
    assert lines({"x": value}) == f"x  {text}".rstrip()


@given(st.text())
def test_nothing_printed_gives_a_terminal_orders(text: str) -> None:
    assert all(each in "\n\t\u200c\u200d" or each.isprintable() for each in printable(text))


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_words_are_printed_as_they_are(text: str) -> None:
    assert printable(text) == text


def test_joined_emoji_stay_whole() -> None:
    assert printable("\U0001f469\u200d\U0001f4bb") == "\U0001f469\u200d\U0001f4bb"
