"""Examples fit the forms they are made of."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import attrs
import pytest
from jsonschema import Draft202012Validator

from moltnet.domain.constraints import Integer, ItemCount, Number, Text
from moltnet.entrypoints.rest.routes import ROUTES
from moltnet.entrypoints.rest.samples import SAMPLES
from moltnet.entrypoints.schema.declare import members_of, shape_of
from moltnet.entrypoints.schema.document import Components, Examples


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen(kw_only=True)
class Inner:
    name: str


@attrs.frozen(kw_only=True)
class Outer:
    id: UUID
    at: datetime
    kind: Literal["outer"]
    colour: Colour
    flag: bool
    count: Annotated[int, Integer(3)]
    weight: Annotated[float, Number(0, 1)]
    inner: Inner
    several: Annotated[tuple[Inner, ...], ItemCount(1)]
    nothing: int | None
    anything: object
    limit: int = 20
    left_out: str | None = None


def test_example_has_every_member_but_those_that_may_be_left_out():
    shape = members_of(Outer)
    example = Examples({}).of(shape)
    components = Components()
    schema = components.answer_schema(shape) | {"components": {"schemas": components.schemas}}
    Draft202012Validator(schema).validate(example)
    assert set(example) == {member.alias for member in shape.members} - {"leftOut"}
    assert (example["limit"], example["kind"], example["colour"], example["count"]) == (20, "outer", "red", 3)
    assert example == Examples({}).of(shape)


def test_sample_of_the_form_goes_before_one_of_the_name():
    samples = {"name": "any", "Inner.name": "inner", "leftOut": "there", "nothing": None}
    example = Examples(samples).of(members_of(Outer))
    assert example["inner"] == {"name": "inner"}
    assert (example["leftOut"], example["nothing"]) == ("there", None)


def test_example_of_a_list_holds_one():
    assert Examples({}).of(shape_of(list[Annotated[str, Text(1)]])) == ["text"]


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.operation_id)
def test_example_of_a_body_is_taken(route):
    shape, components = members_of(route.body), Components()
    schema = components.request_schema(shape) | {"components": {"schemas": components.schemas}}
    if route.documented:
        Draft202012Validator(schema).validate(Examples(SAMPLES).of(shape))
