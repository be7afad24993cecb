"""The request target: whether its path can be read at all, and what its query says.

Source: docs/reference/http.md, "Request targets".
"""

import re
from urllib.parse import unquote_to_bytes

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def is_readable(raw_path: str) -> bool:
    """Whether every percent-escape of a path is whole and the escapes make UTF-8 (RFC 3986 §2.1)."""
    if "%" not in raw_path:
        return True
    if _BROKEN_ESCAPE.search(raw_path):
        return False
    return _decoded(raw_path) is not None


def query_values(raw_query: str) -> dict[str, str | list[str]]:
    """The values of a query string by name; a name that is repeated has a list, which no scalar takes."""
    values: dict[str, str | list[str]] = {}
    for pair in filter(None, raw_query.split("&")):
        name, _, text = pair.partition("=")
        _add(values, _unescaped(name), _unescaped(text))
    return values


def _add(values: dict[str, str | list[str]], name: str, text: str) -> None:
    earlier = values.get(name)
    if earlier is None:
        values[name] = text
    elif isinstance(earlier, list):
        earlier.append(text)
    else:
        values[name] = [earlier, text]


def _unescaped(text: str) -> str:
    spaced = text.replace("+", " ")
    if "%" not in spaced:
        return spaced
    decoded = _decoded(spaced)
    return spaced if decoded is None else decoded


def _decoded(text: str) -> str | None:
    try:
        # The parser keeps raw bytes of the target as surrogates; they count as the bytes they were.
        return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode()
    except UnicodeError:
        return None
