"""What bodies become once their bytes are here; how they arrive is tested over sockets."""

import pytest

from moltnet.entrypoints.rest.bodies import MAX_FORM_FIELDS, form_values, parse_body
from moltnet.entrypoints.rest.refusals import MalformedBody


def test_empty_json_body_is_distinguished():
    with pytest.raises(MalformedBody) as refused:
        parse_body("application/json", b"")
    assert refused.value.detail == "Body cannot be empty when content-type is set to 'application/json'"


@pytest.mark.parametrize("raw", [b" ", b"{", b'{"__proto__":1}', b"\xff", b"NaN"])
def test_malformed_json_body_is_refused(raw):
    with pytest.raises(MalformedBody) as refused:
        parse_body("application/json", raw)
    assert refused.value.detail == "Body is not valid JSON but content-type is set to 'application/json'"


def test_plain_text_is_a_string_whatever_its_bytes():
    assert parse_body("text/plain", b'{"a":1}') == '{"a":1}'
    assert parse_body("text/plain", b"\xff") == "\ufffd"


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"", {}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a=x+y%20z%3D", {"a": "x y z="}),
        (b"a", {"a": ""}),
        (b"a=%ff", {"a": "\ufffd"}),
    ],
)
def test_form_fields_are_read_and_the_last_of_equal_names_wins(raw, values):
    assert form_values(raw) == values
    assert parse_body("application/x-www-form-urlencoded", raw) == values


def test_a_form_of_very_many_fields_is_not_taken_apart():
    assert len(form_values(b"&".join(b"a%d=" % number for number in range(MAX_FORM_FIELDS)))) == MAX_FORM_FIELDS
    with pytest.raises(MalformedBody, match="at most 100 fields"):
        form_values(b"a&" * 520_000)
