"""What the parts of a request say: its target, its token, and the versions that a change is meant for.

Source: docs/reference/http.md, "Request targets" and "Authentication".
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from moltnet.domain.errors import Unauthenticated
from moltnet.domain.ids import ANY_VERSION, Expected, Versioned, version_of
from moltnet.entrypoints.rest.refusals import MalformedHeader

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


_SCHEME = "bearer"


def token_of(headers: Mapping[str, str]) -> str | None:
    """The bearer token of a request, None when the header is absent or empty.

    The scheme is taken in any case, with any number of spaces behind it (RFC 9110 §11.1 and §11.4). Raises
    Unauthenticated for another scheme and for anything but one word after it.
    """
    header = headers.get("Authorization", "")
    if not header:
        return None
    # Servers strip a header's end, so `Bearer ` with nothing behind it arrives as the bare word.
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != _SCHEME:
        raise Unauthenticated("Invalid authorization scheme")
    token = rest.strip(" ")
    if not token or " " in token:
        raise Unauthenticated("Missing authorization header")
    return token


IF_MATCH, ETAG = "If-Match", "ETag"

# One element of a list of entity tags, and the comma behind it (RFC 9110 §8.8.3, §5.6.1.2).
_ELEMENT = re.compile(r'[ \t,]*(W/)?"([\x21\x23-\x7e\x80-\U0010ffff]*)"[ \t]*(?:,[ \t,]*|$)')


def version_headers(thing: Versioned) -> MappingProxyType[str, str]:
    """The headers of an answer that holds a thing: its version as a strong entity tag."""
    return MappingProxyType({ETAG: f'"{version_of(thing)}"'})


def expected_versions(lines: Iterable[str]) -> Expected:
    """What the If-Match lines of a request ask for; `*` is any version (RFC 9110 §13.1.1).

    A weak tag never matches: the comparison is the strong one. Raises MalformedHeader.
    """
    text = ",".join(lines)
    if text.strip(" \t") == "*":
        return ANY_VERSION
    return Expected(frozenset(_strong_tags(text)))


def _strong_tags(text: str) -> Iterable[str]:
    position = 0
    while position < max(len(text), 1):
        element = _ELEMENT.match(text, position)
        if element is None:
            raise MalformedHeader(f'{IF_MATCH} must be "*" or a list of entity tags')
        if not element[1]:
            yield element[2]
        position = element.end()
