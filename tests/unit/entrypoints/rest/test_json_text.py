"""JSON text in both directions (docs/reference/http.md, "JSON text")."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.rest.json_text import from_json, to_json


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a":1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'"caf\xc3\xa9"', "café"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\ud83d"', "\ud83d"),
        (b'{"constructor":1}', {"constructor": 1}),
        (b'{"constructor":{"name":1}}', {"constructor": {"name": 1}}),
        (b'["__proto__"]', ["__proto__"]),
        (b" [1] ", [1]),
    ],
)
def test_text_is_read(raw, value):
    assert from_json(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'a':1}",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"1" * 5000,
        b"1" * 400,
        b"\xff",
        b'"\xed\xa0\x80"',
        b'{"__proto__":{}}',
        b'[{"a":{"__proto__":1}}]',
        b'{"\\u005f_proto__":1}',
        b'{"constructor":{"prototype":{}}}',
        b'{"c\\u006fnstructor":{"prototyp\\u0065":1}}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
)
def test_anything_else_is_refused(raw):
    with pytest.raises(ValueError):  # noqa: PT011 - the reason is for the log, not for the client
        from_json(raw)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw):
    try:
        from_json(raw)
    except ValueError:
        return


def test_text_is_compact_raw_and_in_order():
    value = {"b": "é/😀", "a": [1, None, True], "c": '\u0001\n"'}
    assert to_json(value) == '{"b":"é/😀","a":[1,null,true],"c":"\\u0001\\n\\""}'.encode()


def test_lone_surrogates_do_not_break_the_answer():
    assert json.loads(to_json({"a": "\udcff"})) == {"a": "\udcff"}


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists))
def test_what_is_written_is_read_back(value):
    assert from_json(to_json(value)) == value
