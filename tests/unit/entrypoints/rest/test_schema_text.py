"""Schemas in words."""

import pytest

from moltnet.entrypoints.rest.reference import schema_text


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "uuid"}, "string, uuid"),
        ({"type": "string", "minLength": 1, "maxLength": 5}, "string (at least 1 characters, at most 5 characters)"),
        ({"type": "integer", "minimum": 0, "default": 20}, "integer (at least 0, default 20)"),
        ({"type": "boolean", "default": False}, "boolean (default false)"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"const": True}, "always true"),
        ({"type": "string", "enum": ["a", "b"]}, "one of a, b"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 2}, "list of string (at most 2 items)"),
        ({"anyOf": [{"$ref": "#/components/schemas/Diary"}, {"type": "null"}]}, "Diary or null"),
        ({"type": "string", "description": "What it means"}, "string. What it means"),
        ({}, "anything"),
    ],
)
def test_schema_is_described_in_words(schema, words):
    assert "".join(text for text, _ in schema_text(schema)) == words


def test_named_form_comes_with_its_name():
    schema = {"type": "array", "items": {"$ref": "#/components/schemas/Diary"}}
    assert list(schema_text(schema)) == [("list of ", None), ("Diary", "Diary")]
