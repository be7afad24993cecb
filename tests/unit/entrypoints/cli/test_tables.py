import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.cli.tables import CELL_MAX, lines, printable, table


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    rows = [{"id": "1", "name": "a longer name"}, {"id": "22", "name": None}]
    assert table(rows, ("id", "name"), "none") == "ID  NAME\n1   a longer name\n22"


def test_no_rows_are_said_in_words() -> None:
    assert table([], ("id",), "Nothing.") == "Nothing."


def test_long_and_many_lined_cells_are_cut_to_one_line() -> None:
    shown = table([{"text": "line\n" * 100}], ("text",), "").splitlines()
    assert [len(line) for line in shown] == [4, CELL_MAX]
    assert shown[1].endswith("…")


def test_members_that_are_not_there_are_left_out() -> None:
    assert lines({"id": 1, "title": None, "valid": True}) == "id     1\nvalid  yes"


def test_text_of_many_lines_stands_below_its_name() -> None:
    assert lines({"content": "a\nb"}) == "content\n  a\n  b"


@pytest.mark.parametrize(
    ("value", "text"), [(["a", "b"], "a, b"), ({"fingerprint": "F"}, "fingerprint F"), (False, "no"), ([], "")]
)
def test_value_as_text(value: object, text: str) -> None:
    assert lines({"x": value}) == f"x  {text}"


@given(st.text())
def test_nothing_printed_gives_a_terminal_orders(text: str) -> None:
    assert all(each in "\n\t" or each.isprintable() for each in printable(text))


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_words_are_printed_as_they_are(text: str) -> None:
    assert printable(text) == text
