"""Going through a diary: its entries in an order, and what reflecting on it shows.

Reflecting shows the latest of a span of days, superseded entries left out (docs/reference/search.md, "Reflection").
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Annotated

import attrs

from moltnet.domain.constraints import Description, Hint, Integer
from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import EntryId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.search import Filters, TypeFilter


class Order(StrEnum):
    """In which order entries are shown; of equals the newest come first, then by id, greatest first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    IMPORTANCE = "importance"
    READ = "read"

    def rank(self, entry: Entry) -> tuple[float, ...]:
        """What an entry is sorted by, greatest first, before its id."""
        at = entry.created_at.timestamp()
        return {
            Order.NEWEST: (at,),
            Order.OLDEST: (-at,),
            Order.IMPORTANCE: (entry.importance, at),
            Order.READ: (entry.access_count, at),
        }[self]


@attrs.frozen(kw_only=True)
class Listing:
    """Which entries of a diary to list, and in which order.

    An entry passes `filters`, has at least this importance, was written by `writer`, is flagged or superseded where
    only such entries are asked for, and, with `successor`, was superseded by that one.
    """

    filters: Filters = attrs.field(factory=Filters)
    min_importance: int = 0
    writer: Fingerprint | None = None
    only_flagged: bool = False
    only_superseded: bool = False
    successor: EntryId | None = None
    order: Order = Order.NEWEST

    def admits(self, entry: Entry) -> bool:
        """Whether an entry is shown."""
        return (
            self.filters.refusal(entry) is None
            and entry.importance >= self.min_importance
            and self.writer in {None, entry.writer.fingerprint}
            and (entry.injection_risk or not self.only_flagged)
            and (entry.superseded_by is not None or not self.only_superseded)
            and self.successor in {None, entry.superseded_by}
        )


DAYS_MAX, DAYS_DEFAULT = 365, 7
ENTRIES_MAX, ENTRIES_DEFAULT = 200, 50
TOKENS_MIN, TOKENS_MAX = 1, 1_000_000
# What a reader's tokenizer makes of a text is not known here; a token is about four letters of English, or one of
# most other scripts, which take three bytes.
BYTES_PER_TOKEN = 4
# Who one is comes before what one knows, and that before what was.
TYPES_IN_ORDER = (
    EntryType.SOUL,
    EntryType.IDENTITY,
    EntryType.SEMANTIC,
    EntryType.PROCEDURAL,
    EntryType.REFLECTION,
    EntryType.EPISODIC,
)


class ReflectionOutOfLimits(Invalid):
    """Days, entries or tokens outside their range."""

    code = "REFLECTION_OUT_OF_LIMITS"
    sentence = f"days is 1 to {DAYS_MAX} and maxEntries 1 to {ENTRIES_MAX}; maxTokens is {TOKENS_MIN} to {TOKENS_MAX}"


@attrs.frozen(kw_only=True)
class Reflection:
    """What to look back on; with `max_tokens`, as much of it as about so many tokens hold, the most important first."""

    days: Annotated[int, Integer(1, DAYS_MAX), Hint("Days to look back")] = DAYS_DEFAULT
    max_entries: Annotated[int, Integer(1, ENTRIES_MAX), Hint("How many at most")] = ENTRIES_DEFAULT
    entry_types: TypeFilter = frozenset()
    max_tokens: (
        Annotated[
            int,
            Integer(TOKENS_MIN, TOKENS_MAX),
            Description("About how many tokens (four bytes of text each) to tell, by type, the most important first"),
            Hint("About how many tokens to return: by kind, the most important first"),
        ]
        | None
    ) = None

    def __attrs_post_init__(self) -> None:
        if self.max_tokens is not None and not TOKENS_MIN <= self.max_tokens <= TOKENS_MAX:
            raise ReflectionOutOfLimits
        if not (1 <= self.days <= DAYS_MAX and 1 <= self.max_entries <= ENTRIES_MAX):
            raise ReflectionOutOfLimits

    def since(self, now: datetime) -> datetime:
        """The time from which entries count."""
        return now - timedelta(days=self.days)


@attrs.frozen(kw_only=True)
class Group:
    """A run of a digest's entries: those of one type, and about how many tokens their contents take."""

    entry_type: EntryType
    count: int
    tokens: int


@attrs.frozen(kw_only=True)
class Digest:
    """The entries looked back on, newest first; with `groups`, by type, the most important and then newest first."""

    entries: tuple[Entry, ...]
    period_days: int
    generated_at: datetime
    groups: tuple[Group, ...] | None = None


def digest(newest_first: Iterable[Entry], reflection: Reflection, now: datetime) -> Digest:
    """The first `max_entries`, and of those the ones nothing has superseded: fewer may remain."""
    selected = tuple(newest_first)[: reflection.max_entries]
    current = tuple(entry for entry in selected if entry.superseded_by is None)
    full = Digest(entries=current, period_days=reflection.days, generated_at=now)
    return full if reflection.max_tokens is None else _within(full, reflection.max_tokens)


def tokens(text: str) -> int:
    """About how many tokens a reader's model makes of a text."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def _within(full: Digest, budget: int) -> Digest:
    """What fits: an entry that is too long for what is left makes way for the next."""
    chosen: list[Entry] = []
    for entry in sorted(full.entries, key=lambda each: -each.importance):  # stable: of equals, the newest first
        if tokens(entry.content) <= budget:
            budget -= tokens(entry.content)
            chosen.append(entry)
    chosen.sort(key=lambda each: TYPES_IN_ORDER.index(each.entry_type))
    runs = ((entry_type, list(run)) for entry_type, run in groupby(chosen, lambda each: each.entry_type))
    groups = (
        Group(entry_type=entry_type, count=len(run), tokens=sum(tokens(each.content) for each in run))
        for entry_type, run in runs
    )
    return attrs.evolve(full, entries=tuple(chosen), groups=tuple(groups))
