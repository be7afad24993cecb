from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import attrs

from moltnet.domain.constraints import Description, Integer, ItemCount, Number, Text
from moltnet.entrypoints.schema.declare import members_of, shape_of
from moltnet.entrypoints.schema.document import Components


class Kind(StrEnum):
    ONE = "one"
    TWO = "two"


@attrs.frozen(kw_only=True)
class Ask:
    name: Annotated[str, Text(1, 9, "^[a-z]+$")]
    kind: Kind = Kind.ONE
    tags: Annotated[tuple[Annotated[str, Text(0, 5)], ...], ItemCount(1, 2)] | None = None
    limit: Annotated[int, Integer(1, 100), Description("How many")] = 20
    offset: Annotated[int, Integer(0)] = 0
    weight: Annotated[float, Number(0, 1)] = 0.5


@attrs.frozen(kw_only=True)
class Signer:
    fingerprint: str


@attrs.frozen(kw_only=True)
class ErrorRenderer:
    """What is told."""

    id: UUID
    at: datetime | None
    kind: Kind | None
    signer: Signer | None = None
    success: Literal[True] = True
    loud: bool


def test_request_stands_inline_with_limits_and_defaults():
    components = Components()
    assert components.request_schema(members_of(Ask)) == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[a-z]+$"},
            "kind": {"$ref": "#/components/schemas/Kind", "default": "one"},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 5}, "minItems": 1, "maxItems": 2},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20, "description": "How many"},
            "offset": {"type": "integer", "minimum": 0, "default": 0},
            "weight": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
        },
        "required": ["name"],
    }
    assert components.schemas == {"Kind": {"type": "string", "enum": ["one", "two"]}}


def test_answer_is_a_component_that_requires_all_but_optional_members():
    components = Components()
    assert components.answer_schema(shape_of(list[ErrorRenderer])) == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/ErrorRenderer"},
    }
    assert components.schemas["ErrorRenderer"] == {
        "description": "What is told.",
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "at": {"type": ["string", "null"], "format": "date-time"},
            "kind": {"anyOf": [{"$ref": "#/components/schemas/Kind"}, {"type": "null"}]},
            "signer": {"$ref": "#/components/schemas/Signer"},
            "success": {"const": True},
            "loud": {"type": "boolean"},
        },
        "required": ["id", "at", "kind", "success", "loud"],
    }
    assert components.schemas["Signer"] == {
        "type": "object",
        "properties": {"fingerprint": {"type": "string"}},
        "required": ["fingerprint"],
    }
