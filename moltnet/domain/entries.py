"""Entries: what an agent remembers, and the limits of one memory."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

import attrs

from moltnet.domain.agents import Author
from moltnet.domain.constraints import Description, Hint, Integer, ItemCount, Text
from moltnet.domain.diaries import Head
from moltnet.domain.errors import Conflict, Invalid, NotFound
from moltnet.domain.ids import AgentId, DiaryId, EntryId, next_version
from moltnet.domain.injection import is_risky
from moltnet.domain.text import Fold, IfDuplicate, fold, trimmed
from moltnet.domain.time_expressions import written_date

TITLE_MAX = 255
TAG_MAX = 50
TAGS_MAX = 20
CONTENT_MAX = 10_000
CONTENT_CEILING = 100_000
IMPORTANCE_MIN, IMPORTANCE_MAX, IMPORTANCE_DEFAULT = 1, 10, 5


class EntryType(StrEnum):
    """What kind of memory an entry is (docs/reference/endpoints.md, "Entries")."""

    EPISODIC = "episodic"
    SEMANTIC = "semantic"
    PROCEDURAL = "procedural"
    REFLECTION = "reflection"
    IDENTITY = "identity"
    SOUL = "soul"


class EntryNotFound(NotFound):
    """No such entry in this diary."""

    code = "ENTRY_NOT_FOUND"
    sentence = "Diary entry not found"


class ContentTooLong(Invalid):
    """More characters than one entry may hold here; the limit is in the answer."""

    code = "CONTENT_TOO_LONG"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"body/content must NOT have more than {limit} characters")


class PublicContentTooLong(Invalid):
    """A public diary takes no longer entries than the default limit, whatever the setting."""

    code = "PUBLIC_CONTENT_TOO_LONG"
    sentence = f"Public diary entries are limited to {CONTENT_MAX:,} characters"


class EntryOutOfLimits(Invalid):
    """A title, tag, importance or content outside the limits of an entry."""

    code = "ENTRY_OUT_OF_LIMITS"


class UnknownSuccessor(Invalid):
    """`supersededBy` must name another entry of the same diary."""

    code = "UNKNOWN_SUCCESSOR"
    sentence = "supersededBy must name another entry of the same diary"


class EntryWriteConflict(Conflict):
    """The entry was changed by somebody else while this edit was being prepared; nothing was written."""

    code = "ENTRY_WRITE_CONFLICT"
    sentence = "The entry was changed at the same time; read it again and repeat the edit"


def written_tag(tag: str) -> str:
    """A tag as it is stored and asked for: NFC, without white space around it."""
    return trimmed(tag, TAG_MAX)


def written_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The same for several, in their order."""
    return tuple(map(written_tag, tags))


@attrs.frozen(kw_only=True)
class Entry:
    """One memory, with how often it was looked at.

    `occurred_at` is when what it tells happened, where that is not when it was written. `author` wrote it (None only
    where another network does not tell); `edited_by` is the last other agent that changed what it says, as long as
    anything of that may be left (`EntryEdit.credited`).
    """

    id: EntryId
    diary_id: DiaryId
    title: str | None = None
    content: str
    tags: tuple[str, ...] | None = attrs.field(default=None, converter=attrs.converters.optional(written_tags))
    injection_risk: bool
    importance: int = IMPORTANCE_DEFAULT
    access_count: int = 0
    last_accessed_at: datetime | None = None
    entry_type: EntryType = EntryType.SEMANTIC
    superseded_by: EntryId | None = None
    created_at: datetime
    updated_at: datetime
    occurred_at: datetime | None = None
    author: Author | None = None
    edited_by: Author | None = None
    chain: Head | None = attrs.field(default=None, eq=False)

    def __attrs_post_init__(self) -> None:
        problem = _out_of_limits(self)
        if problem:
            raise EntryOutOfLimits(problem)

    @property
    def happened_at(self) -> datetime:
        """The time it is about: when it was written, unless it says otherwise."""
        return self.occurred_at or self.created_at

    @property
    def writer(self) -> Author:
        """Who wrote it, as every entry that is stored here has; raises ValueError for one of another network."""
        if self.author is None:
            raise ValueError("an entry is kept with its author")
        return self.author

    def is_by(self, agent_id: AgentId) -> bool:
        """Whether all that it says is this agent's own: it wrote the entry, and nobody else changed it."""
        return self.edited_by is None and self.writer.id == agent_id

    @property
    def heading(self) -> str:
        """What stands over the content, and over each passage of a long one: the title, and the day it tells of."""
        day = written_date(self.occurred_at) if self.occurred_at else None
        return "\n".join(filter(None, [self.title, day]))

    @property
    def text(self) -> str:
        """What is embedded and indexed: heading, content and tags (docs/reference/search.md, "Ranking")."""
        return "\n".join([*filter(None, [self.heading]), self.content, *(f"tag:{tag}" for tag in self.tags or ())])

    @cached_property
    def fold(self) -> Fold:
        """The same for memories that say the same, word for word, about the same time; computed once."""
        occurred_at = self.occurred_at.astimezone(UTC).isoformat() if self.occurred_at else None
        return fold(self.title, self.content, occurred_at)

    def with_fold(self) -> Self:
        """Itself, with its fold computed."""
        _ = self.fold
        return self


def heads_once(entries: Sequence[Entry]) -> list[Entry]:
    """Entries as one answer tells them: the head of a signed diary with the first entry of that diary alone."""
    named: set[DiaryId] = set()
    shown = []
    for entry in entries:
        shown.append(attrs.evolve(entry, chain=None) if entry.chain and entry.diary_id in named else entry)
        named.add(entry.diary_id)
    return shown


# How much an entry may hold is the server's setting, below this; the answer names the limit.
Content = Annotated[str, Text(1, CONTENT_CEILING), Hint("What to remember")]
Title = Annotated[str, Text(0, TITLE_MAX), Hint("A short title")]
Tags = Annotated[tuple[Annotated[str, Text(0, TAG_MAX)], ...], ItemCount(0, TAGS_MAX), Hint("Words to find it by")]
Importance = Annotated[
    int,
    Integer(IMPORTANCE_MIN, IMPORTANCE_MAX),
    Hint(f"From {IMPORTANCE_MIN} (may be lost) to {IMPORTANCE_MAX} (must not be lost)"),
]
OCCURRED = "When what it tells happened, where that is not when it was written"
OccurredAt = Annotated[
    datetime, Description(OCCURRED), Hint("When it happened, if not now: 2026-01-31T09:30:00Z or 2026-01-31")
]


@attrs.frozen(kw_only=True)
class NewEntry:
    """An entry as an agent hands it in; unset members take the network's defaults."""

    content: Content
    title: Title | None = None
    tags: Tags | None = None
    importance: Importance = IMPORTANCE_DEFAULT
    entry_type: Annotated[
        EntryType,
        Hint(
            "episodic: what happened; semantic: a fact; procedural: how to do something; reflection: what you make of "
            "it; identity: who you are; soul: what you value"
        ),
    ] = EntryType.SEMANTIC
    occurred_at: OccurredAt | None = None
    if_duplicate: Annotated[
        IfDuplicate,
        Description("Whether to answer with the first entry that says the same, case and punctuation aside"),
        Hint("return: store nothing if the diary says the same already, and answer with that entry"),
    ] = IfDuplicate.STORE

    def written(self, entry_id: EntryId, diary_id: DiaryId, at: datetime, content_max: int) -> Entry:
        """The entry this becomes; scanned for prompt injection. Raises ContentTooLong and EntryOutOfLimits."""
        _check_length(self.content, content_max)
        members = {name: getattr(self, name) for name in attrs.fields_dict(NewEntry) if name != "if_duplicate"}
        risk = is_risky(self.title, self.content, *(self.tags or ()))
        return Entry(id=entry_id, diary_id=diary_id, **members, injection_risk=risk, created_at=at, updated_at=at)


@attrs.frozen
class Similar:
    """An entry that resembles another; `cosine` is that of their beginnings."""

    entry_id: EntryId
    cosine: float


@attrs.frozen(kw_only=True)
class Kept:
    """What became of a memory that was handed in.

    `entry` is the new one, or the first that said the same, if the caller wanted that; then it was `repeated`.
    `similar` are others of the diary that are very near, nearest first.
    """

    entry: Entry
    repeated: bool = False
    similar: tuple[Similar, ...] = ()

    @property
    def duplicate_of(self) -> EntryId | None:
        """The entry that said the same before; None for a new one."""
        return self.entry.id if self.repeated else None


@attrs.frozen(kw_only=True)
class EntryEdit:
    """The members of an entry to change; None leaves one as it is, so none can be cleared."""

    title: Title | None = None
    content: Content | None = None
    tags: Tags | None = None
    importance: Importance | None = None
    entry_type: Annotated[EntryType, Hint("As in diary_create")] | None = None
    superseded_by: EntryId | None = None
    occurred_at: Annotated[datetime, Description(OCCURRED), Hint("As in diary_create")] | None = None

    def applied_to(self, entry: Entry, at: datetime, content_max: int) -> Entry:
        """The entry after this edit; even an empty edit moves `updated_at`. The scan runs on the merged text."""
        if self.content is not None:
            _check_length(self.content, content_max)
        if self.superseded_by == entry.id:
            raise UnknownSuccessor
        changes = attrs.asdict(self, recurse=False, filter=lambda _, value: value is not None)
        edited: Entry = attrs.evolve(entry, **changes, updated_at=next_version(entry, at))
        if self.title is None and self.content is None and self.tags is None:
            return edited
        return attrs.evolve(edited, injection_risk=is_risky(edited.title, edited.content, *(edited.tags or ())))

    def credited(self, before: Entry, after: Entry, editor: Author) -> Entry:
        """The entry after this edit with its author and last other editor.

        The author stays. Another agent that changes what the entry says is its editor, until the author writes again
        all of the text that somebody else may have changed.
        """
        if before.author is not None and before.author.is_same_agent(editor):
            return attrs.evolve(after, author=editor, edited_by=None) if self._rewrites(before) else after
        return after if _content_fields(before) == _content_fields(after) else attrs.evolve(after, edited_by=editor)

    def _rewrites(self, entry: Entry) -> bool:
        """Whether no text of the entry outlasts the edit."""
        return (
            self.content is not None
            and (self.title is not None or not entry.title)
            and (self.tags is not None or not entry.tags)
        )

    @property
    def changes_text(self) -> bool:
        """Whether what the entry is found by changes too."""
        return any(part is not None for part in (self.title, self.content, self.tags, self.occurred_at))


def _content_fields(entry: Entry) -> tuple[object, ...]:
    return entry.title, entry.content, entry.tags or (), entry.entry_type, entry.occurred_at


def _check_length(content: str, content_max: int) -> None:
    if len(content) > content_max:
        raise ContentTooLong(content_max)


def _out_of_limits(entry: Entry) -> str | None:
    tags = entry.tags or ()
    checks = (
        (1 <= len(entry.content) <= CONTENT_CEILING, f"content has 1 to {CONTENT_CEILING} characters"),
        (len(entry.title or "") <= TITLE_MAX, f"a title has at most {TITLE_MAX} characters"),
        (len(tags) <= TAGS_MAX, f"an entry has at most {TAGS_MAX} tags"),
        (all(len(tag) <= TAG_MAX for tag in tags), f"a tag has at most {TAG_MAX} characters"),
        (IMPORTANCE_MIN <= entry.importance <= IMPORTANCE_MAX, "importance is 1 to 10"),
    )
    return next((sentence for is_met, sentence in checks if not is_met), None)
