import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.mcp.tools.tool import DEPTH_MAX, KEYS_MAX, TEXT_MAX, UnsanitizableInput, cleaned

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def nested(levels: int) -> dict[str, object]:
    value: object = "x"
    for _ in range(levels - 1):
        value = [value]
    return {"deep": value}


def test_control_characters_go_but_tab_and_line_ends_stay():
    assert cleaned({"te\0xt": "a\0b\x07c\x1b[31m\x7f\td\r\ne\u2028"}) == {"text": "abc[31m\td\r\ne\u2028"}


def test_lone_surrogates_are_left_for_the_check():
    assert cleaned({"text": "\ud800"}) == {"text": "\ud800"}


def test_null_says_nothing_at_the_top_and_stays_inside():
    assert cleaned({"title": None, "tags": [None]}) == {"tags": [None]}


@pytest.mark.parametrize(
    "given_",
    [
        {"text": "x" * (TEXT_MAX + 1)},
        {"x" * (TEXT_MAX + 1): 1},
        {"list": ["x" * (TEXT_MAX + 1)]},
        {str(number): number for number in range(KEYS_MAX + 1)},
        {"object": {str(number): number for number in range(KEYS_MAX + 1)}},
        nested(DEPTH_MAX + 1),
    ],
)
def test_what_is_too_long_too_wide_or_too_deep_is_refused(given_):
    with pytest.raises(UnsanitizableInput):
        cleaned(given_)


@pytest.mark.parametrize(
    "given_",
    [
        {"text": "x" * TEXT_MAX},
        {str(number): number for number in range(KEYS_MAX)},
        nested(DEPTH_MAX),
    ],
)
def test_the_limits_themselves_are_allowed(given_):
    assert cleaned(given_) == given_


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_cleaning_again_changes_nothing(arguments):
    once = cleaned(arguments)
    assert cleaned(once) == once
