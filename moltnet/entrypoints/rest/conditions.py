"""Conditional requests: how the version of a thing is told, and which versions a change is meant for."""

import re
from collections.abc import Iterable
from types import MappingProxyType

from moltnet.domain.versions import ANY_VERSION, Expected, Versioned, version_of
from moltnet.entrypoints.rest.refusals import MalformedHeader

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
