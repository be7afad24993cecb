"""Which entries a question looks at, as a condition of every statement that looks."""

from typing import Any

from moltnet.adapters.postgres.terms import any_run, every_run
from moltnet.domain.search import Filters, LexicalQuery

# Of a row `e` of diary_entries; as `Filters.refusal` has it.
FILTERED = """
    (%(tags)s::text[] = '{}' or e.tags @> %(tags)s::text[])
    and (%(types)s::entry_type[] = '{}' or e.entry_type = any(%(types)s::entry_type[]))
    and not (%(exclude_superseded)s and e.superseded_by is not null)
    and not (%(exclude_flagged)s and e.injection_risk)
    and (%(since)s::timestamptz is null or e.created_at >= %(since)s)
    and (%(until)s::timestamptz is null or e.created_at < %(until)s)
    and (%(happened_since)s::timestamptz is null or coalesce(e.occurred_at, e.created_at) >= %(happened_since)s)
    and (%(happened_until)s::timestamptz is null or coalesce(e.occurred_at, e.created_at) < %(happened_until)s)
    and (%(written_by)s::uuid is null or e.author_id = %(written_by)s and e.edited_by is null)
"""
# As `LexicalQuery.refusal` has it.
TERMS_MATCH = """
    (%(required)s::tsquery is null or e.words @@ %(required)s::tsquery)
    and (%(excluded)s::tsquery is null or not e.words @@ %(excluded)s::tsquery)
"""


def filter_values(filters: Filters) -> dict[str, Any]:
    """What `FILTERED` takes."""
    return {
        "tags": list(filters.tags),
        "types": list(filters.entry_types),
        "exclude_superseded": filters.exclude_superseded,
        "exclude_flagged": filters.exclude_flagged,
        "since": filters.since,
        "until": filters.until,
        "happened_since": filters.happened_since,
        "happened_until": filters.happened_until,
        "written_by": filters.written_by,
    }


def run_values(words: LexicalQuery) -> dict[str, Any]:
    """What `TERMS_MATCH` takes."""
    return {"required": every_run(words.required), "excluded": any_run(words.excluded)}
