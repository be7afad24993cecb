"""What tools answer that find entries again: without what says nothing, scores as far as they say something."""

from datetime import datetime
from typing import Annotated

import attrs

from moltnet.domain.constraints import Alias, Description
from moltnet.domain.digest import Group
from moltnet.domain.explanations import Explained, LeftOut
from moltnet.domain.search import Hit, SearchResult, SearchType
from moltnet.domain.views import Reflected
from moltnet.entrypoints.mcp.tools.derived import tool_of
from moltnet.entrypoints.mcp.tools.list_items import EntryItem, entry_item, rounded
from moltnet.entrypoints.operations import search
from moltnet.entrypoints.operations.search import ReflectDiary, SearchDiary


@attrs.frozen(kw_only=True)
class ScoredEntry(EntryItem):
    """A memory that was found, and how well it matches; `diaryId` is absent where only one diary was searched."""

    score: float | None = None
    explanation: Explained | None = None


@attrs.frozen(kw_only=True)
class SearchAnswer:
    """The entries found, best first, and how they were found."""

    results: tuple[ScoredEntry, ...]
    total: int
    search_type: Annotated[SearchType, Alias("search_type")]
    confident: (
        Annotated[bool, Description("Whether the best looks like an answer; take false as doubt, not as a no")] | None
    ) = None
    left_out: (
        Annotated[
            tuple[LeftOut, ...],
            Alias("left_out"),
            Description("With explain: what a filter, word or min_score kept out"),
        ]
        | None
    ) = None


@attrs.frozen(kw_only=True)
class Digest:
    """The latest of one diary, newest first (with max_tokens by kind), without what was superseded."""

    entries: tuple[EntryItem, ...]
    total_entries: int
    period_days: int
    generated_at: datetime
    groups: tuple[Group, ...] | None = None


@attrs.frozen(kw_only=True)
class DigestOfDiary:
    """The latest of one diary."""

    digest: Digest


def _result(result: SearchResult, arguments: SearchDiary) -> SearchAnswer:
    hits = [hit for hit in result.hits if _matches(hit, arguments)]
    left_out = tuple(attrs.evolve(each, score=rounded(each.score)) for each in result.left_out)
    return SearchAnswer(
        results=tuple(_hit(hit, arguments) for hit in hits),
        total=result.total - len(result.hits) + len(hits),
        search_type=result.search_type,
        confident=result.confident,
        left_out=left_out or None,
    )


def _digest(reflected: Reflected, _: ReflectDiary) -> DigestOfDiary:
    digest = Digest(
        entries=tuple(map(entry_item, reflected.entries)),
        total_entries=reflected.total_entries,
        period_days=reflected.period_days,
        generated_at=reflected.generated_at,
        groups=reflected.groups,
    )
    return DigestOfDiary(digest=digest)


def _matches(hit: Hit, arguments: SearchDiary) -> bool:
    """Whether a hit has to do with the query: a score of 0 says that it has not, unless nothing is weighed."""
    is_weighed = arguments.w_relevance or arguments.w_recency or arguments.w_importance
    return not is_weighed or hit.score is None or rounded(hit.score) > 0


def _hit(hit: Hit, arguments: SearchDiary) -> ScoredEntry:
    members = attrs.asdict(entry_item(hit.entry), recurse=False)
    if arguments.diary_id is None:
        members["diary_id"] = hit.entry.diary_id
    score = None if hit.score is None else rounded(hit.score)
    return ScoredEntry(**members, score=score, explanation=hit.explained and _shortened(hit.explained))


def _shortened(explained: Explained) -> Explained:
    response = explained.explanation
    cosine = None if response.cosine is None else rounded(response.cosine)
    return attrs.evolve(explained, explanation=attrs.evolve(response, cosine=cosine, words=rounded(response.words)))


SEARCH = tool_of(search.SEARCH, SearchAnswer, _result)
REFLECT = tool_of(search.REFLECT, DigestOfDiary, _digest)
