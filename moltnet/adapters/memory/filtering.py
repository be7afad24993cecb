"""Which entries a question looks at."""

from moltnet.domain.entries import Entry
from moltnet.domain.search import Filters


def passes(entry: Entry, filters: Filters) -> bool:
    """Whether an entry is what the filters ask for: all of the tags, any of the types."""
    return (
        set(filters.tags) <= set(entry.tags or ())
        and (not filters.entry_types or entry.entry_type in filters.entry_types)
        and not (filters.exclude_superseded and entry.superseded_by)
        and not (filters.exclude_flagged and entry.injection_risk)
        and (filters.since is None or entry.created_at >= filters.since)
    )
