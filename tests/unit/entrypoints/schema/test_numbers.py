"""Numbers as JavaScript writes and reads them; expected texts are ECMA-262's own rules worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.schema.text_values import number_from_text, text_from_number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-5, "-5"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.25e22, "1.25e+22"),
        (123456.789, "123456.789"),
        (2**53 + 1, "9007199254740992"),
        (10**400, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_number_is_written_as_javascript_writes_it(number, text):
    assert text_from_number(number) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5), ("+5", 5), ("-5", -5), ("1e1", 10.0), (".5", 0.5), ("5.", 5.0), (" 5\t", 5), ("1E+2", 100.0)],
)
def test_text_that_holds_a_number_is_read(text, number):
    assert number_from_text(text) == number


@pytest.mark.parametrize("text", ["", " ", "abc", "5 5", "1_0", "\u0661", "NaN", "Infinity", "0x10", "e1", ".", "--1"])
def test_other_text_holds_no_number(text):
    assert number_from_text(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_written_number_is_read_back(number):
    assert float(number_from_text(text_from_number(number))) == number


@given(st.text())
def test_any_text_is_read_or_holds_no_number(text):
    number = number_from_text(text)
    assert number is None or isinstance(number, int | float)
