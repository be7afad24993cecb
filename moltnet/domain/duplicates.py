"""When a memory says again what is there already, word for word; one that only resembles another is a hint."""

import hashlib
import re
import unicodedata
from enum import StrEnum
from typing import NewType

from moltnet.domain.text import folded

Fold = NewType("Fold", bytes)
"""A text's hash, the same for texts that differ in case, spacing and punctuation alone."""

# Cosine cannot tell a paraphrase from a changed fact, so nothing is ever merged for being similar.
SIMILAR_FROM = 0.95
SIMILAR_MAX = 3
# A new memory is compared with so many of the newest of its diary: writing takes as long in a large one.
SIMILAR_AMONG = 1_000


class IfDuplicate(StrEnum):
    """What to do with a memory that repeats another of its diary: keep it all the same, or answer with the first."""

    STORE = "store"
    RETURN = "return"


def fold(*parts: str | None) -> Fold:
    """The fold of a text in parts; where one ends and the next begins counts.

    Signs that carry meaning stay: symbols, %, a minus before a digit, a point or comma between digits. A text of
    nothing but punctuation is only repeated by itself.
    """
    plain = "\n".join(_folded(part or "") for part in parts)
    normalized = plain if plain.strip() else "\n".join(["", *(part or "" for part in parts)])
    return Fold(hashlib.blake2b(normalized.encode("utf-8", "surrogatepass"), digest_size=16).digest())


def _folded(text: str) -> str:
    return " ".join(_SIGN.sub(lambda match: _normalized_sign(match[0]), folded(text)).split())


# What is neither letter nor digit, unless a number would be another one without it.
_SIGN = re.compile(r"[.,](?=\D|$)|(?<!\d)[.,]|(?<=\w)-|-(?!\d)|[^\w\s.,%-]|_")


def _normalized_sign(sign: str) -> str:
    return " " if unicodedata.category(sign).startswith("P") else sign
