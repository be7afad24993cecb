import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.rest.request_parts import is_readable, query_values


@pytest.mark.parametrize("path", ["/", "/a%20b", "/%C3%A9", "/a%2Fb", "/%25"])
def test_whole_escapes_of_utf8_are_readable(path):
    assert is_readable(path)


@pytest.mark.parametrize("path", ["/%", "/%z1", "/%1", "/a%2", "/%FF", "/%C3", "/%ED%A0%80", "/%C0%AF"])
def test_broken_escapes_are_not(path):
    assert not is_readable(path)


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=x+y", {"a": "x y"}),
        ("a=x%2By", {"a": "x+y"}),
        ("a=", {"a": ""}),
        ("a", {"a": ""}),
        ("&&a=1&", {"a": "1"}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a=1&a=2&a=3&b=4", {"a": ["1", "2", "3"], "b": "4"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("a%5B%5D=1", {"a[]": "1"}),
        ("a=%00", {"a": "\0"}),
        ("a=%zz", {"a": "%zz"}),
        ("a=%FF", {"a": "%FF"}),
        ("a=%F0%9F%98%80", {"a": "😀"}),
        ("a=caf\udcc3\udca9", {"a": "caf\udcc3\udca9"}),
    ],
)
def test_query_is_read(raw, values):
    assert query_values(raw) == values


@given(st.text(st.characters(codec=None)))
def test_any_target_is_read(text):
    is_readable(text)
    assert isinstance(query_values(text), dict)
