"""Lists of a diary's entries for a reader who goes through them: more filters than a search has, and an order."""

from enum import StrEnum

import attrs

from moltnet.domain.entries import Entry
from moltnet.domain.ids import EntryId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.search import Filters


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
