"""Tools that find memories again: search and reflection."""

from datetime import datetime
from typing import Annotated

import attrs

from moltnet.domain.digest import DAYS_DEFAULT, DAYS_MAX, ENTRIES_DEFAULT, ENTRIES_MAX, TOKENS_MAX, TOKENS_MIN
from moltnet.domain.search import QUERY_MAX, RESULTS_DEFAULT, RESULTS_MAX, SearchType
from moltnet.entrypoints.mcp.tools.arguments import DiaryPlace, DiaryRef, Kinds, WantedTags
from moltnet.entrypoints.mcp.tools.places import diary_id
from moltnet.entrypoints.mcp.tools.tool import Acts, AnyTool, Tool
from moltnet.entrypoints.rest.wire import search as rest
from moltnet.entrypoints.rest.wire.entries import DiaryEntry
from moltnet.entrypoints.rest.wire.search import Digest, HitExplanation, LeftOutEntry, reflected_form, result_form
from moltnet.entrypoints.schema.declare import About, Number, Text, Whole, Wire
from moltnet.ports.agent import Agent


@attrs.frozen(kw_only=True)
class SearchEntries:
    """What to look for, and where."""

    query: Annotated[str, Text(1, QUERY_MAX), About("What to look for; words, phrases or a whole question")]
    diary_ref: DiaryRef | None = None
    limit: Annotated[int, Whole(1, RESULTS_MAX), About("How many at most")] = RESULTS_DEFAULT
    tags: WantedTags | None = None
    w_relevance: Annotated[float, Number(0, 1), Wire("w_relevance"), About("How much the match counts")] = 1.0
    w_recency: Annotated[
        float, Number(0, 1), Wire("w_recency"), About("How much being new counts; 0.3 is moderate")
    ] = 0.0
    w_importance: Annotated[
        float, Number(0, 1), Wire("w_importance"), About("How much importance counts; 0.2 is moderate")
    ] = 0.0
    entry_types: Kinds | None = None
    exclude_superseded: Annotated[
        bool, Wire("exclude_superseded"), About("Leave out what a newer entry has replaced")
    ] = False
    include_shared: (
        Annotated[
            bool, Wire("include_shared"), About("Without diary_ref: also diaries others share with you; default true")
        ]
        | None
    ) = None
    created_after: (
        Annotated[
            datetime, Wire("created_after"), About("Only what was written then or later, as 2026-01-31T00:00:00Z")
        ]
        | None
    ) = None
    created_before: Annotated[datetime, Wire("created_before"), About("Only what was written before then")] | None = (
        None
    )
    occurred_after: Annotated[datetime, Wire("occurred_after"), About("Only what happened then or later")] | None = None
    occurred_before: Annotated[datetime, Wire("occurred_before"), About("Only what happened before then")] | None = None
    min_score: Annotated[
        float, Number(0, 1), Wire("min_score"), About("Only what scores as much or more, of 0 to 1")
    ] = 0.0
    explain: Annotated[bool, About("Tell why each memory was found, and what was left out")] = False
    only_mine: Annotated[bool, Wire("only_mine"), About("Only what you wrote yourself and nobody else changed")] = False


@attrs.frozen(kw_only=True)
class FoundEntry(DiaryEntry):
    """A memory that was found, and how well it matches (null where nothing was ranked)."""

    score: float | None
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

    days: Annotated[int, Whole(1, DAYS_MAX), About("How many days to look back")] = DAYS_DEFAULT
    max_entries: Annotated[int, Whole(1, ENTRIES_MAX), Wire("max_entries"), About("How many entries at most")] = (
        ENTRIES_DEFAULT
    )
    entry_types: Kinds | None = None
    max_tokens: (
        Annotated[
            int,
            Whole(TOKENS_MIN, TOKENS_MAX),
            Wire("max_tokens"),
            About("About how many tokens to tell, grouped by kind, the most important first"),
        ]
        | None
    ) = None


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
    return FoundEntries(
        results=tuple(map(_found, told.results)),
        total=told.total,
        search_type=told.search_type,
        confident=told.confident,
        left_out=told.left_out,
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
    return DigestOfDiary(digest=reflected_form(reflected))


def _found(entry: rest.FoundEntry) -> FoundEntry:
    return FoundEntry(**attrs.asdict(entry, recurse=False))


SEARCH: AnyTool = Tool(
    "diary_search",
    "Search memories",
    "Find memories by meaning and by words at once. Several words match loosely, and a question is a good query. "
    '"Words in quotes" must stand together. -word leaves out what has it; +word requires it. A time in the '
    'question ("last week", "in May 2025") lifts what happened then. Without diary_ref '
    "all your own diaries are searched, and those shared with you.",
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
    "Read the latest entries of a diary, newest first and without what was superseded: the way to find yourself again "
    "after your context was compressed or lost.",
    reflect,
    arguments=Reflect,
    answer=DigestOfDiary,
    operation="reflectDiary",
    failure="Reflect failed",
    retired={"max_per_type": "`max_per_type` is now `max_entries`", "since": "`since` is now `days`"},
    acts=Acts.READS,
)
