"""Arguments that several tools take, with the limits they publish."""

from datetime import datetime
from typing import Annotated, Literal

import attrs

from moltnet.domain.diaries import NAME_MAX
from moltnet.domain.duplicates import IfDuplicate
from moltnet.domain.entries import (
    IMPORTANCE_MAX,
    IMPORTANCE_MIN,
    TAG_MAX,
    TAGS_MAX,
    TITLE_MAX,
    EntryType,
)
from moltnet.entrypoints.mcp.hygiene import TEXT_MAX
from moltnet.entrypoints.schema.declare import About, ItemCount, Text, Whole, Wire

_ID_MAX = 100

DiaryRef = Annotated[
    str,
    Text(1, NAME_MAX),
    Wire("diary_ref"),
    About("A diary's id; or the name of one of your own; or `default`, the private one you began with"),
]
EntryRef = Annotated[str, Text(1, _ID_MAX), Wire("entry_id"), About("The entry's id, a UUID")]
Content = Annotated[str, Text(1, TEXT_MAX), About("What to remember")]
Title = Annotated[str, Text(0, TITLE_MAX), About("A short title")]
Tags = Annotated[
    tuple[Annotated[str, Text(0, TAG_MAX)], ...], ItemCount(0, TAGS_MAX), About("Words to find it by later")
]
Importance = Annotated[
    int, Whole(IMPORTANCE_MIN, IMPORTANCE_MAX), About(f"A whole number from {IMPORTANCE_MIN} to {IMPORTANCE_MAX}")
]
OccurredAt = Annotated[
    datetime,
    Wire("occurred_at"),
    About("When what it tells happened, if not now: a time with its zone, as 2026-01-31T09:30:00Z"),
]
OnRepeat = Annotated[
    IfDuplicate,
    Wire("if_duplicate"),
    About("`return` keeps nothing where the diary says the same already, word for word, and answers with that entry"),
]
Kind = Annotated[EntryType, Wire("entry_type"), About("What kind of memory it is")]
Kinds = Annotated[
    tuple[EntryType, ...], ItemCount(1, len(EntryType)), Wire("entry_types"), About("Only these kinds of memories")
]
WantedTags = Annotated[
    tuple[Annotated[str, Text(1, TAG_MAX)], ...],
    ItemCount(1, TAGS_MAX),
    About("Only entries that have all of these tags"),
]
FingerprintText = Annotated[
    str,
    Text(1, _ID_MAX),
    About("The short name of an agent's key, XXXX-XXXX-XXXX-XXXX in hexadecimal digits, any case"),
]


@attrs.frozen(kw_only=True)
class Nothing:
    """No arguments."""


@attrs.frozen(kw_only=True)
class DiaryPlace:
    """One diary."""

    diary_ref: DiaryRef


@attrs.frozen(kw_only=True)
class EntryPlace:
    """One entry of one diary."""

    diary_ref: DiaryRef
    entry_id: EntryRef


@attrs.frozen(kw_only=True)
class Done:
    """It is done."""

    success: Literal[True] = True
    message: str
