"""Tools that find memories again: search and reflection."""

from datetime import datetime
from typing import Annotated

import attrs

from moltnet.domain.constraints import Alias, Description, Integer, Number, Text
from moltnet.domain.digest import DAYS_DEFAULT, DAYS_MAX, ENTRIES_DEFAULT, ENTRIES_MAX, TOKENS_MAX, TOKENS_MIN
from moltnet.domain.search import QUERY_MAX, RESULTS_DEFAULT, RESULTS_MAX, Hit, SearchType
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.tools.arguments import DiaryArguments, DiaryRef, Kinds, Limit, TagFilter
from moltnet.entrypoints.mcp.tools.list_items import EntryItem, entry_item, rounded
from moltnet.entrypoints.mcp.tools.references import diary_id
from moltnet.entrypoints.mcp.tools.tool import AnyTool, Tool
from moltnet.entrypoints.operations.operation import Effect
from moltnet.entrypoints.rest.schemas.search import (
    DigestGroup,
    HitExplanation,
    LeftOutEntry,
    reflected_form,
    result_form,
)


@attrs.frozen(kw_only=True)
class SearchEntries:
    """What to look for, and where."""

    query: Annotated[str, Text(1, QUERY_MAX), Description("Words, phrases or a whole question")]
    diary_ref: DiaryRef | None = None
    limit: Annotated[Limit, Integer(1, RESULTS_MAX)] = RESULTS_DEFAULT
    tags: TagFilter | None = None
    w_relevance: Annotated[float, Number(0, 1), Alias("w_relevance"), Description("Weight of the match")] = 1.0
    w_recency: Annotated[
        float, Number(0, 1), Alias("w_recency"), Description("Weight of being new; 0.3 is moderate")
    ] = 0.0
    w_importance: Annotated[
        float, Number(0, 1), Alias("w_importance"), Description("Weight of importance; 0.2 is moderate")
    ] = 0.0
    entry_types: Kinds | None = None
    exclude_superseded: Annotated[
        bool, Alias("exclude_superseded"), Description("Leave out what a newer entry replaced")
    ] = False
    include_shared: (
        Annotated[
            bool, Alias("include_shared"), Description("Without diary_ref: also diaries shared with you; default true")
        ]
        | None
    ) = None
    created_after: Annotated[datetime, Alias("created_after"), Description("Written then or later")] | None = None
    created_before: Annotated[datetime, Alias("created_before"), Description("Written before then")] | None = None
    occurred_after: Annotated[datetime, Alias("occurred_after"), Description("Happened then or later")] | None = None
    occurred_before: Annotated[datetime, Alias("occurred_before"), Description("Happened before then")] | None = None
    min_score: Annotated[float, Number(0, 1), Alias("min_score"), Description("Least score")] = 0.0
    explain: Annotated[bool, Description("Also say why each was found and what was left out")] = False
    only_mine: Annotated[bool, Alias("only_mine"), Description("Only what you wrote and nobody else changed")] = False


@attrs.frozen(kw_only=True)
class ScoredEntry(EntryItem):
    """A memory that was found, and how well it matches; `diaryId` is absent where only one diary was searched."""

    score: float | None = None
    explanation: HitExplanation | None = None


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
            tuple[LeftOutEntry, ...],
            Alias("left_out"),
            Description("With explain: what a filter, word or min_score kept out"),
        ]
        | None
    ) = None


@attrs.frozen(kw_only=True)
class Reflect(DiaryArguments):
    """What to look back on."""

    days: Annotated[int, Integer(1, DAYS_MAX), Description("Days to look back")] = DAYS_DEFAULT
    max_entries: Annotated[Limit, Integer(1, ENTRIES_MAX), Alias("max_entries")] = ENTRIES_DEFAULT
    entry_types: Kinds | None = None
    max_tokens: (
        Annotated[
            int,
            Integer(TOKENS_MIN, TOKENS_MAX),
            Alias("max_tokens"),
            Description("About how many tokens to return: by kind, the most important first"),
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
    groups: tuple[DigestGroup, ...] | None = None


@attrs.frozen(kw_only=True)
class DigestOfDiary:
    """The latest of one diary."""

    digest: Digest


async def search(agent: Agent, arguments: SearchEntries) -> SearchAnswer:
    """Finds memories."""
    found = await agent.diary.search(
        arguments.query,
        diary_id=None if arguments.diary_ref is None else await diary_id(agent, arguments.diary_ref),
        tags=arguments.tags or (),
        entry_types=arguments.entry_types or (),
        exclude_superseded=arguments.exclude_superseded,
        include_shared=arguments.include_shared,
        limit=arguments.limit,
        w_relevance=arguments.w_relevance,
        w_recency=arguments.w_recency,
        w_importance=arguments.w_importance,
        created_after=arguments.created_after,
        created_before=arguments.created_before,
        occurred_after=arguments.occurred_after,
        occurred_before=arguments.occurred_before,
        min_score=arguments.min_score,
        explain=arguments.explain,
        only_mine=arguments.only_mine,
    )
    response = result_form(found)
    explanations = (each.explanation for each in response.results)
    pairs = [pair for pair in zip(found.hits, explanations, strict=True) if _matches(pair[0], arguments)]
    return SearchAnswer(
        results=tuple(_result(hit, explanation, arguments) for hit, explanation in pairs),
        total=response.total - len(found.hits) + len(pairs),
        search_type=response.search_type,
        confident=response.confident,
        left_out=response.left_out
        and tuple(attrs.evolve(each, score=rounded(each.score)) for each in response.left_out),
    )


async def reflect(agent: Agent, arguments: Reflect) -> DigestOfDiary:
    """Looks back."""
    diary = await diary_id(agent, arguments.diary_ref)
    reflected = await agent.diary.reflect(
        diary,
        days=arguments.days,
        max_entries=arguments.max_entries,
        entry_types=arguments.entry_types or (),
        max_tokens=arguments.max_tokens,
    )
    response = reflected_form(reflected)
    digest = Digest(
        entries=tuple(map(entry_item, reflected.entries)),
        total_entries=response.total_entries,
        period_days=response.period_days,
        generated_at=response.generated_at,
        groups=response.groups,
    )
    return DigestOfDiary(digest=digest)


def _matches(hit: Hit, arguments: SearchEntries) -> bool:
    """Whether a hit has to do with the query: a score of 0 says that it has not, unless nothing is weighed."""
    is_weighed = arguments.w_relevance or arguments.w_recency or arguments.w_importance
    return not is_weighed or hit.score is None or rounded(hit.score) > 0


def _result(hit: Hit, explanation: HitExplanation | None, arguments: SearchEntries) -> ScoredEntry:
    members = attrs.asdict(entry_item(hit.entry), recurse=False)
    if arguments.diary_ref is None:
        members["diary_id"] = hit.entry.diary_id
    score = None if hit.score is None else rounded(hit.score)
    return ScoredEntry(**members, score=score, explanation=explanation and _shortened(explanation))


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
    answer=SearchAnswer,
    operation="searchDiary",
    failure="Search failed",
    effect=Effect.READS,
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
    effect=Effect.READS,
)
