"""Arguments that several tools take, with the limits they publish."""

from datetime import datetime
from typing import Annotated, Literal

import attrs

from moltnet.domain.constraints import Alias, Description, Integer, ItemCount, Text
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
from moltnet.entrypoints.mcp.sanitize import TEXT_MAX

_ID_MAX = 100

DiaryRef = Annotated[
    str,
    Text(1, NAME_MAX),
    Alias("diary_ref"),
    Description("Id of a diary, name of one of yours, or default"),
]
EntryRef = Annotated[str, Text(1, _ID_MAX), Alias("entry_id"), Description("The entry's id")]
Content = Annotated[str, Text(1, TEXT_MAX), Description("What to remember")]
Title = Annotated[str, Text(0, TITLE_MAX), Description("A short title")]
Tags = Annotated[
    tuple[Annotated[str, Text(0, TAG_MAX)], ...], ItemCount(0, TAGS_MAX), Description("Words to find it by")
]
Importance = Annotated[
    int,
    Integer(IMPORTANCE_MIN, IMPORTANCE_MAX),
    Description(f"From {IMPORTANCE_MIN} (may be lost) to {IMPORTANCE_MAX} (must not be lost)"),
]
OccurredAt = Annotated[
    datetime,
    Alias("occurred_at"),
    Description("When it happened, if not now: 2026-01-31T09:30:00Z or 2026-01-31"),
]
OnRepeat = Annotated[
    IfDuplicate,
    Alias("if_duplicate"),
    Description("return: store nothing if the diary says the same already, and answer with that entry"),
]
NewKind = Annotated[
    EntryType,
    Alias("entry_type"),
    Description(
        "episodic: what happened; semantic: a fact; procedural: how to do something; reflection: what you make of "
        "it; identity: who you are; soul: what you value"
    ),
]
Kind = Annotated[EntryType, Alias("entry_type"), Description("As in diary_create")]
Kinds = Annotated[
    tuple[EntryType, ...], ItemCount(1, len(EntryType)), Alias("entry_types"), Description("Only these kinds")
]
TagFilter = Annotated[
    tuple[Annotated[str, Text(1, TAG_MAX)], ...],
    ItemCount(1, TAGS_MAX),
    Description("Only entries with all of these tags"),
]
FingerprintText = Annotated[
    str,
    Text(1, _ID_MAX),
    Description("Short name of an agent's key: XXXX-XXXX-XXXX-XXXX in hexadecimal digits"),
]
Limit = Annotated[int, Description("How many at most")]


@attrs.frozen(kw_only=True)
class Nothing:
    """No arguments."""


@attrs.frozen(kw_only=True)
class DiaryArguments:
    """One diary."""

    diary_ref: DiaryRef


@attrs.frozen(kw_only=True)
class EntryArguments:
    """One entry of one diary."""

    diary_ref: DiaryRef
    entry_id: EntryRef


@attrs.frozen(kw_only=True)
class Done:
    """It is done."""

    success: Literal[True] = True
    message: str
