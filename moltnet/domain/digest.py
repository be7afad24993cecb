"""What reflecting on a diary shows: the latest of a span of days, superseded entries left out (rest.md §7.2)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.errors import Invalid

DAYS_MAX, DAYS_DEFAULT = 365, 7
ENTRIES_MAX, ENTRIES_DEFAULT = 200, 50


class ReflectionOutOfLimits(Invalid):
    """Days or entries outside their range."""

    code = "REFLECTION_OUT_OF_LIMITS"
    sentence = f"days is 1 to {DAYS_MAX} and maxEntries 1 to {ENTRIES_MAX}"


@attrs.frozen(kw_only=True)
class Reflection:
    """What to look back on."""

    days: int = DAYS_DEFAULT
    max_entries: int = ENTRIES_DEFAULT
    entry_types: frozenset[EntryType] = frozenset()

    def __attrs_post_init__(self) -> None:
        if not (1 <= self.days <= DAYS_MAX and 1 <= self.max_entries <= ENTRIES_MAX):
            raise ReflectionOutOfLimits

    def since(self, now: datetime) -> datetime:
        """The time from which entries count."""
        return now - timedelta(days=self.days)


@attrs.frozen(kw_only=True)
class Digest:
    """The entries looked back on, newest first."""

    entries: tuple[Entry, ...]
    period_days: int
    generated_at: datetime


def digest(newest_first: Iterable[Entry], reflection: Reflection, now: datetime) -> Digest:
    """The first `max_entries`, and of those the ones nothing has superseded: fewer may remain."""
    taken = tuple(newest_first)[: reflection.max_entries]
    current = tuple(entry for entry in taken if entry.superseded_by is None)
    return Digest(entries=current, period_days=reflection.days, generated_at=now)
