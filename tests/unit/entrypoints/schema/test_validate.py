"""Every row of docs/reference/http.md, "Validation and coercion"; arbitrary JSON is survived."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.constraints import Integer, ItemCount, Number, Text
from moltnet.domain.ids import DiaryId
from moltnet.entrypoints.schema.convert import reader
from moltnet.entrypoints.schema.declare import Shape, Uuid, members_of, shape_of
from moltnet.entrypoints.schema.validate import Refused, checker, form_checker

HEX = "880e8400-e29b-41d4-a716-446655440004"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen(kw_only=True)
class Inner:
    key_text: str


@attrs.frozen(kw_only=True)
class Form:
    name: Annotated[str, Text(2, 5)]
    colour: Colour = Colour.RED
    tags: Annotated[tuple[Annotated[str, Text(0, 3)], ...], ItemCount(1, 2)] | None = None
    limit: Annotated[int, Integer(1, 100)] = 20
    weight: Annotated[float, Number(0, 1)] = 1.0
    loud: bool = False
    diary_id: DiaryId | None = None
    inner: Inner | None = None
    maybe: str | None
    yes: Literal[True] = True
    extra: object = None


def refusal(shape: Shape, value: object) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        checker(shape)(value)
    return [(fault.pointer, fault.message) for fault in refused.value.faults]


TEXT, LARGEST_PAGE, NUMBER, FLAG, LIST = (
    shape_of(hint) for hint in (str, int, float, bool, tuple[Annotated[str, Text(0, 3)], ...])
)


@pytest.mark.parametrize(
    ("shape", "value", "taken"),
    [
        (TEXT, "x", "x"),
        (TEXT, 5, "5"),
        (TEXT, 1.0, "1"),
        (TEXT, 1e21, "1e+21"),
        (TEXT, True, "true"),
        (TEXT, False, "false"),
        (TEXT, None, ""),
        (TEXT, ["x"], "x"),
        (TEXT, [None], ""),
        (TEXT, "😀", "😀"),
        (LARGEST_PAGE, 7, 7),
        (LARGEST_PAGE, 7.0, 7),
        (LARGEST_PAGE, "7", 7),
        (LARGEST_PAGE, "1e1", 10),
        (LARGEST_PAGE, " 7 ", 7),
        (LARGEST_PAGE, True, 1),
        (LARGEST_PAGE, None, 0),
        (LARGEST_PAGE, ["7"], 7),
        (NUMBER, "0.5", 0.5),
        (NUMBER, 1, 1.0),
        (NUMBER, False, 0.0),
        (FLAG, True, True),
        (FLAG, "true", True),
        (FLAG, 1, True),
        (FLAG, 1.0, True),
        (FLAG, "false", False),
        (FLAG, 0, False),
        (FLAG, None, False),
        (FLAG, [True], True),
        (LIST, "x", ["x"]),
        (LIST, None, [""]),
        (LIST, 5, ["5"]),
        (LIST, ["a", 1], ["a", "1"]),
        (LIST, [["a"]], ["a"]),
        (shape_of(Colour), ["red"], "red"),
        (Uuid(), f"URN:uuid:{HEX.upper()}", f"URN:uuid:{HEX.upper()}"),
        (shape_of(object), {"a": [1]}, {"a": [1]}),
    ],
)
def test_value_is_taken_as_the_original_takes_it(shape, value, taken):
    assert checker(shape)(value) == taken
    assert type(checker(shape)(value)) is type(taken)


@pytest.mark.parametrize(
    ("shape", "value", "faults"),
    [
        (TEXT, {}, [("", "must be string")]),
        (TEXT, ["a", "b"], [("", "must be string")]),
        (TEXT, [["a"]], [("", "must be string")]),
        (TEXT, [], [("", "must be string")]),
        (Text(2, 5), "a", [("", "must NOT have fewer than 2 characters")]),
        (Text(2, 5), "abcdef", [("", "must NOT have more than 5 characters")]),
        (Text(2, 5), "😀" * 6, [("", "must NOT have more than 5 characters")]),
        (Text(pattern="^[a-z]$"), "A", [("", 'must match pattern "^[a-z]$"')]),
        (Text(pattern="^[a-z]$"), "a\n", [("", 'must match pattern "^[a-z]$"')]),
        (Text(0, 1, "^[a-z]$"), "AA", [("", "must NOT have more than 1 characters")]),
        (TEXT, "a\0", [("", "must NOT contain U+0000")]),
        (TEXT, "a\ud800", [("", "must be valid Unicode text")]),
        (LARGEST_PAGE, 1.5, [("", "must be integer")]),
        (LARGEST_PAGE, "1.5", [("", "must be integer")]),
        (LARGEST_PAGE, "abc", [("", "must be integer")]),
        (LARGEST_PAGE, "", [("", "must be integer")]),
        (LARGEST_PAGE, "\u0661", [("", "must be integer")]),
        (LARGEST_PAGE, "1_0", [("", "must be integer")]),
        (LARGEST_PAGE, ["1", "2"], [("", "must be integer")]),
        (LARGEST_PAGE, {}, [("", "must be integer")]),
        (LARGEST_PAGE, 1e300, [("", "must be <= 9007199254740991")]),
        (LARGEST_PAGE, 10**400, [("", "must be <= 9007199254740991")]),
        (LARGEST_PAGE, "1e999", [("", "must be integer")]),
        (Integer(1, 100), 0, [("", "must be >= 1")]),
        (Integer(1, 100), 101, [("", "must be <= 100")]),
        (NUMBER, "x", [("", "must be number")]),
        (NUMBER, "NaN", [("", "must be number")]),
        (NUMBER, float("inf"), [("", "must be number")]),
        (NUMBER, float("nan"), [("", "must be number")]),
        (Number(0, 1), 1.01, [("", "must be <= 1")]),
        (FLAG, "yes", [("", "must be boolean")]),
        (FLAG, 2, [("", "must be boolean")]),
        (FLAG, {}, [("", "must be boolean")]),
        (LIST, {}, [("", "must be array")]),
        (LIST, ["a", {}], [("/1", "must be string")]),
        (LIST, ["abcd", {}], [("/0", "must NOT have more than 3 characters")]),
        (Uuid(), "x", [("", 'must match format "uuid"')]),
        (Uuid(), None, [("", 'must match format "uuid"')]),
        (Uuid(), {}, [("", "must be string")]),
        (
            shape_of(Colour),
            "green",
            [("", "must be equal to constant")] * 2 + [("", "must match a schema in anyOf")],
        ),
        (
            shape_of(Colour),
            None,
            [("", "must be equal to constant")] * 2 + [("", "must match a schema in anyOf")],
        ),
        (shape_of(Colour), {}, [("", "must be string")] * 2 + [("", "must match a schema in anyOf")]),
        (shape_of(Literal[True]), False, [("", "must be equal to constant")]),
        (shape_of(Literal[True]), 1, [("", "must be equal to constant")]),
        (members_of(Form), None, [("", "must be object")]),
        (members_of(Form), "text", [("", "must be object")]),
        (members_of(Form), [{"name": "abc", "maybe": None}], [("", "must be object")]),
        (members_of(Form), {}, [("", "must have required property 'name'")]),
        (members_of(Form), {"name": {}}, [("", "must have required property 'maybe'")]),
        (members_of(Form), {"name": "abc", "maybe": None, "tags": []}, [("/tags", "must NOT have fewer than 1 items")]),
        (
            members_of(Form),
            {"name": "abc", "maybe": None, "tags": ["", "", ""]},
            [("/tags", "must NOT have more than 2 items")],
        ),
        (
            members_of(Form),
            {"name": "a", "maybe": {}, "limit": 0},
            [("/name", "must NOT have fewer than 2 characters")],
        ),
        (
            members_of(Form),
            {"name": "abc", "maybe": None, "inner": {}},
            [("/inner", "must have required property 'keyText'")],
        ),
        (
            members_of(Form),
            {"name": "abc", "maybe": None, "inner": {"keyText": []}},
            [("/inner/keyText", "must be string")],
        ),
    ],
)
def test_only_the_first_failing_rule_is_reported(shape, value, faults):
    assert refusal(shape, value) == faults


def test_field_names_pointer_then_missing_member_then_unknown():
    places = [{"name": "a", "maybe": None}, {}, []]
    told = []
    for value in places:
        with pytest.raises(Refused) as refused:
            form_checker(Form)(value)
        told.append(refused.value.faults[0].field)
    assert told == ["/name", "name", "unknown"]


def test_unknown_members_are_ignored_and_absent_ones_left_to_their_defaults():
    checked = form_checker(Form)({"name": "abc", "maybe": None, "ownerId": "x"})
    assert checked == {"name": "abc", "maybe": None}


def test_checked_values_become_a_typed_request():
    values = form_checker(Form)(
        {
            "name": 123,
            "maybe": "m",
            "colour": "blue",
            "tags": "a",
            "diaryId": f"urn:uuid:{HEX}",
            "inner": {"keyText": 1},
        }
    )
    assert reader(Form)(values) == Form(
        name="123",
        maybe="m",
        colour=Colour.BLUE,
        tags=("a",),
        diary_id=DiaryId(UUID(HEX)),
        inner=Inner(key_text="1"),
    )


@attrs.frozen(kw_only=True)
class Dated:
    at: datetime


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.sampled_from(["red", HEX]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*"abc"]), inner, max_size=4),
    max_leaves=8,
)
names = [member.alias for member in members_of(Form).members]


@given(
    st.one_of(
        json_values,
        st.dictionaries(st.sampled_from(names), json_values),
        st.fixed_dictionaries(dict.fromkeys(names, json_values)),
    )
)
def test_any_json_is_either_taken_or_refused(value):
    try:
        checked = form_checker(Form)(value)
    except Refused:
        return
    assert isinstance(reader(Form)(checked), Form)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-05-08T13:56:00Z", datetime(2023, 5, 8, 13, 56, tzinfo=UTC)),
        ("2023-05-08t13:56:00.123456789z", datetime(2023, 5, 8, 13, 56, 0, 123456, tzinfo=UTC)),
        ("2023-05-08T23:30:00-02:00", datetime(2023, 5, 9, 1, 30, tzinfo=UTC)),
    ],
)
def test_moment_is_read_in_utc(text, moment):
    assert reader(Dated)(form_checker(Dated)({"at": text})) == Dated(at=moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-05-08",
        "2023-05-08T13:56:00",
        "2023-13-08T13:56:00Z",
        "2023-02-30T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-01:00",
        "2023-05-08T13:56:60Z",
        "2023-05-08 13:56:00Z",
        "\u0661023-05-08T13:56:00Z",
        "\x00",
        7,
        None,
    ],
)
def test_no_moment_is_refused(text):
    with pytest.raises(Refused) as refused:
        form_checker(Dated)({"at": text})
    assert refused.value.faults[0].message == 'must match format "date-time"'
