"""A JSON Schema in a few words for people."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "pattern {}",
    "default": "default {}",
}


def schema_text(schema: Schema) -> Iterator[tuple[str, str | None]]:
    """The words in their order; a word that names a component comes with the component's name."""
    yield from _kind(schema)
    limits = [words.format(_value(schema[key])) for key, words in _LIMITS.items() if key in schema]
    if limits:
        yield f" ({', '.join(limits)})", None
    if "description" in schema:
        yield f". {schema['description']}", None


def _kind(schema: Schema) -> Iterator[tuple[str, str | None]]:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        yield name, name
    elif "anyOf" in schema:
        for number, option in enumerate(schema["anyOf"]):
            if number:
                yield " or ", None
            yield from _kind(option)
    elif schema.get("type") == "array":
        yield "list of ", None
        yield from schema_text(schema["items"])
    elif "const" in schema:
        yield f"always {_value(schema['const'])}", None
    elif "enum" in schema:
        yield f"one of {', '.join(schema['enum'])}", None
    else:
        yield _plain(schema), None


def _plain(schema: Schema) -> str:
    kinds = schema.get("type", "anything")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return f"{words}, {schema['format']}" if "format" in schema else words


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
