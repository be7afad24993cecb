"""Tools that find memories again: search and reflection."""

from datetime import datetime
from typing import Annotated

import attrs

from moltnet.domain.digest import DAYS_DEFAULT, DAYS_MAX, ENTRIES_DEFAULT, ENTRIES_MAX, TOKENS_MAX, TOKENS_MIN
from moltnet.domain.search import QUERY_MAX, RESULTS_DEFAULT, RESULTS_MAX, Hit, SearchType
from moltnet.entrypoints.mcp.tools.arguments import DiaryPlace, DiaryRef, Kinds, Limit, WantedTags
from moltnet.entrypoints.mcp.tools.listed import ListedEntry, listed, rounded
from moltnet.entrypoints.mcp.tools.places import diary_id
from moltnet.entrypoints.mcp.tools.tool import Acts, AnyTool, Tool
from moltnet.entrypoints.rest.wire.search import DigestGroup, HitExplanation, LeftOutEntry, reflected_form, result_form
from moltnet.entrypoints.schema.declare import About, Number, Text, Whole, Wire
from moltnet.ports.agent import Agent


@attrs.frozen(kw_only=True)
class SearchEntries:
    """What to look for, and where."""

    query: Annotated[str, Text(1, QUERY_MAX), About("Words, phrases or a whole question")]
    diary_ref: DiaryRef | None = None
    limit: Annotated[Limit, Whole(1, RESULTS_MAX)] = RESULTS_DEFAULT
    tags: WantedTags | None = None
    w_relevance: Annotated[float, Number(0, 1), Wire("w_relevance"), About("Weight of the match")] = 1.0
    w_recency: Annotated[float, Number(0, 1), Wire("w_recency"), About("Weight of being new; 0.3 is moderate")] = 0.0
    w_importance: Annotated[
        float, Number(0, 1), Wire("w_importance"), About("Weight of importance; 0.2 is moderate")
    ] = 0.0
    entry_types: Kinds | None = None
    exclude_superseded: Annotated[bool, Wire("exclude_superseded"), About("Leave out what a newer entry replaced")] = (
        False
    )
    include_shared: (
        Annotated[bool, Wire("include_shared"), About("Without diary_ref: also diaries shared with you; default true")]
        | None
    ) = None
    created_after: Annotated[datetime, Wire("created_after"), About("Written then or later")] | None = None
    created_before: Annotated[datetime, Wire("created_before"), About("Written before then")] | None = None
    occurred_after: Annotated[datetime, Wire("occurred_after"), About("Happened then or later")] | None = None
    occurred_before: Annotated[datetime, Wire("occurred_before"), About("Happened before then")] | None = None
    min_score: Annotated[float, Number(0, 1), Wire("min_score"), About("Least score")] = 0.0
    explain: Annotated[bool, About("Also say why each was found and what was left out")] = False
    only_mine: Annotated[bool, Wire("only_mine"), About("Only what you wrote and nobody else changed")] = False


@attrs.frozen(kw_only=True)
class FoundEntry(ListedEntry):
    """A memory that was found, and how well it matches; `diaryId` is absent where only one diary was searched."""

    score: float | None = None
    explanation: HitExplanation | None = None


@attrs.frozen(kw_only=True)
class FoundEntries:
    """The entries found, best first, and how they were found."""

    results: tuple[FoundEntry, ...]
    total: int
    search_type: Annotated[SearchType, Wire("search_type")]
    confident: (
        Annotated[bool, About("Whether the best looks like an answer; take false as doubt, not as a no")] | None
    ) = None
    left_out: (
        Annotated[
            tuple[LeftOutEntry, ...],
            Wire("left_out"),
            About("With explain: what a filter, word or min_score kept out"),
        ]
        | None
    ) = None


@attrs.frozen(kw_only=True)
class Reflect(DiaryPlace):
    """What to look back on."""

    days: Annotated[int, Whole(1, DAYS_MAX), About("Days to look back")] = DAYS_DEFAULT
    max_entries: Annotated[Limit, Whole(1, ENTRIES_MAX), Wire("max_entries")] = ENTRIES_DEFAULT
    entry_types: Kinds | None = None
    max_tokens: (
        Annotated[
            int,
            Whole(TOKENS_MIN, TOKENS_MAX),
            Wire("max_tokens"),
            About("About how many tokens to return: by kind, the most important first"),
        ]
        | None
    ) = None


@attrs.frozen(kw_only=True)
class Digest:
    """The latest of one diary, newest first (with max_tokens by kind), without what was superseded."""

    entries: tuple[ListedEntry, ...]
    total_entries: int
    period_days: int
    generated_at: datetime
    groups: tuple[DigestGroup, ...] | None = None


@attrs.frozen(kw_only=True)
class DigestOfDiary:
    """The latest of one diary."""

    digest: Digest


async def search(agent: Agent, given: SearchEntries) -> FoundEntries:
    """Finds memories."""
    found = await agent.diary.search(
        given.query,
        diary_id=None if given.diary_ref is None else await diary_id(agent, given.diary_ref),
        tags=given.tags or (),
        entry_types=given.entry_types or (),
        exclude_superseded=given.exclude_superseded,
        include_shared=given.include_shared,
        limit=given.limit,
        w_relevance=given.w_relevance,
        w_recency=given.w_recency,
        w_importance=given.w_importance,
        created_after=given.created_after,
        created_before=given.created_before,
        occurred_after=given.occurred_after,
        occurred_before=given.occurred_before,
        min_score=given.min_score,
        explain=given.explain,
        only_mine=given.only_mine,
    )
    told = result_form(found)
    explanations = (each.explanation for each in told.results)
    pairs = [pair for pair in zip(found.hits, explanations, strict=True) if _matches(pair[0], given)]
    return FoundEntries(
        results=tuple(_found(hit, explanation, given) for hit, explanation in pairs),
        total=told.total - len(found.hits) + len(pairs),
        search_type=told.search_type,
        confident=told.confident,
        left_out=told.left_out and tuple(attrs.evolve(each, score=rounded(each.score)) for each in told.left_out),
    )


async def reflect(agent: Agent, given: Reflect) -> DigestOfDiary:
    """Looks back."""
    diary = await diary_id(agent, given.diary_ref)
    reflected = await agent.diary.reflect(
        diary,
        days=given.days,
        max_entries=given.max_entries,
        entry_types=given.entry_types or (),
        max_tokens=given.max_tokens,
    )
    told = reflected_form(reflected)
    digest = Digest(
        entries=tuple(map(listed, reflected.entries)),
        total_entries=told.total_entries,
        period_days=told.period_days,
        generated_at=told.generated_at,
        groups=told.groups,
    )
    return DigestOfDiary(digest=digest)


def _matches(hit: Hit, given: SearchEntries) -> bool:
    """Whether a hit has to do with the query: a score of 0 says that it has not, unless nothing is weighed."""
    is_weighed = given.w_relevance or given.w_recency or given.w_importance
    return not is_weighed or hit.score is None or rounded(hit.score) > 0


def _found(hit: Hit, explanation: HitExplanation | None, given: SearchEntries) -> FoundEntry:
    members = attrs.asdict(listed(hit.entry), recurse=False)
    if given.diary_ref is None:
        members["diary_id"] = hit.entry.diary_id
    score = None if hit.score is None else rounded(hit.score)
    return FoundEntry(**members, score=score, explanation=explanation and _shortened(explanation))


def _shortened(explanation: HitExplanation) -> HitExplanation:
    cosine = None if explanation.cosine is None else rounded(explanation.cosine)
    return attrs.evolve(explanation, cosine=cosine, words=rounded(explanation.words))


SEARCH: AnyTool = Tool(
    "diary_search",
    "Search memories",
    "Find memories by meaning and by words. Ask a whole question, or give words: several match loosely, "
    '"words in quotes" stand together, +word is required, -word excluded. A time in the question ("last week") '
    "favours what happened then. Without diary_ref, all your diaries and those shared with you are searched.",
    search,
    arguments=SearchEntries,
    answer=FoundEntries,
    operation="searchDiary",
    failure="Search failed",
    acts=Acts.READS,
)
REFLECT: AnyTool = Tool(
    "diary_reflect",
    "Look back",
    "The latest entries of a diary, without what was superseded: read this after your context was compressed or lost.",
    reflect,
    arguments=Reflect,
    answer=DigestOfDiary,
    operation="reflectDiary",
    failure="Reflect failed",
    retired={"max_per_type": "`max_per_type` is now `max_entries`", "since": "`since` is now `days`"},
    acts=Acts.READS,
)
