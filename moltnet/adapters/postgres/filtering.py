"""Which entries a question looks at, as a condition of every statement that looks."""

from typing import Any, LiteralString

import attrs

from moltnet.adapters.postgres.terms import any_run, every_run
from moltnet.domain.search import Filters, LexicalQuery

# Of a row `e` of diary_entries; as `Filters.refusal` and `LexicalQuery.refusal` have it.
_CONDITIONS: dict[str, LiteralString] = {
    "tags": "e.tags @> %(tags)s::text[]",
    "entry_types": "e.entry_type = any(%(entry_types)s::entry_type[])",
    "exclude_superseded": "e.superseded_by is null",
    "exclude_flagged": "not e.injection_risk",
    "since": "e.created_at >= %(since)s",
    "until": "e.created_at < %(until)s",
    "happened_since": "coalesce(e.occurred_at, e.created_at) >= %(happened_since)s",
    "happened_until": "coalesce(e.occurred_at, e.created_at) < %(happened_until)s",
    "written_by": "e.author_id = %(written_by)s and e.edited_by is null",
    "required": "e.words @@ %(required)s::tsquery",
    "excluded": "not e.words @@ %(excluded)s::tsquery",
}


def condition(filters: Filters, words: LexicalQuery) -> LiteralString:
    """What is asked of each entry, and nothing else: a condition that is always true is tested for every entry, too."""
    values = {**filter_values(filters), **run_values(words)}
    asked = [text for name, text in _CONDITIONS.items() if values[name] not in (None, False, [])]
    return " and ".join(asked) or "true"


def filter_values(filters: Filters) -> dict[str, Any]:
    """What the conditions take of filters."""
    members = attrs.asdict(filters, recurse=False)
    return members | {"tags": list(filters.tags), "entry_types": list(filters.entry_types)}


def run_values(words: LexicalQuery) -> dict[str, Any]:
    """What the conditions take of runs of words."""
    return {"required": every_run(words.required), "excluded": any_run(words.excluded)}
