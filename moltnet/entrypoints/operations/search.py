"""Finding entries again: search and reflection."""

from datetime import datetime
from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Description, Hint, Integer, ItemCount, Number, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.digest import (
    DAYS_DEFAULT,
    DAYS_MAX,
    ENTRIES_DEFAULT,
    ENTRIES_MAX,
    TOKENS_MAX,
    TOKENS_MIN,
    Group,
    Reflection,
)
from moltnet.domain.entries import EntryType
from moltnet.domain.ids import DiaryId
from moltnet.domain.search import (
    QUERY_MAX,
    RESULTS_DEFAULT,
    RESULTS_MAX,
    Explained,
    Explanation,
    Filters,
    Hit,
    LeftOut,
    Passage,
    Search,
    SearchResult,
    Weights,
)
from moltnet.domain.views import Reflected, Remembered
from moltnet.entrypoints.operations.appearance import Effect, Http, Tool
from moltnet.entrypoints.operations.entries import AUTHOR, EDITED_BY, JOINED_TYPES, TagFilter
from moltnet.entrypoints.operations.operation import Auth, Call, Operation
from moltnet.entrypoints.schema.views import Shown, Within, view

Weight = Annotated[float, Number(0, 1)]
TypeFilter = Annotated[frozenset[EntryType], ItemCount(1, len(EntryType)), Hint("Only these kinds")]
_TOKENS = "About how many tokens (four bytes of text each) to tell, by type, the most important first"

view(
    Passage,
    "NearestPassage",
    "The part of an entry's content that is nearest in meaning; `start` and `end` count its code points.",
    "start end text",
)
view(
    Explanation,
    "Explanation",
    "Both sides of a hit.",
    Shown("cosine", description="Of the nearest passage, -1 to 1; absent without a vector"),
    "cosine_rank",
    Shown("words", description="The share of the best possible BM25, 0 to 1"),
    "words_rank",
    Shown("matched", "matchedWords"),
    Shown("timely", description="Whether it happened when the query says"),
)
view(
    Explained,
    "HitExplanation",
    "Both sides of a hit: raw scores, and the rank each has on its side, absent where others were offered instead.",
    Within("explanation"),
    Shown("passage", is_optional=True),
)
view(
    LeftOut,
    "LeftOutEntry",
    "An entry that would have been in the answer, and what kept it out.",
    Shown("entry_id", "id"),
    "diary_id score reason",
)
view(
    Hit,
    "FoundEntry",
    "A memory that was found.",
    Within("entry"),
    Shown("score", description="0 to 1; absent where nothing was ranked"),
    Shown("explained", "explanation", is_optional=True),
)
view(
    SearchResult,
    "DiarySearchResult",
    "The entries found, best first, and how they were found.",
    Shown("hits", "results"),
    "total search_type",
    Shown("confident", description="Whether the best looks like an answer; absent where nothing was ranked"),
    Shown("left_out", description="With explain: what a filter, word or minScore kept out", is_optional=True),
)
view(Group, "DigestGroup", "So many of the entries, in their order, are of one type.", "entry_type", "count", "tokens")
view(
    Remembered,
    "DigestEntry",
    "A memory looked back on.",
    "id content tags importance entry_type created_at",
    AUTHOR,
    EDITED_BY,
)
view(
    Reflected,
    "Digest",
    "The latest of one diary, newest first (with maxTokens by type), without what was superseded.",
    "entries total_entries period_days generated_at groups",
)


@attrs.frozen(kw_only=True)
class SearchDiary:
    """What to look for, and where."""

    diary_id: DiaryId | None = None
    query: (
        Annotated[
            str,
            Text(1, QUERY_MAX),
            Description('Words, "phrases" and -exclusions; without it, the newest'),
            Hint("Words, phrases or a whole question"),
        ]
        | None
    ) = None
    tags: TagFilter = ()
    entry_types: TypeFilter = frozenset()
    exclude_superseded: Annotated[bool, Hint("Leave out what a newer entry replaced")] = False
    include_shared: (
        Annotated[
            bool,
            Description("Default: true with a query, false without"),
            Hint("Without diary_ref: also diaries shared with you; default true"),
        ]
        | None
    ) = None
    limit: Annotated[int, Integer(1, RESULTS_MAX), Hint("How many at most")] = RESULTS_DEFAULT
    offset: Annotated[int, Integer(0), Description("Counts only without a query")] = 0
    w_relevance: Annotated[Weight, Hint("Weight of the match")] = 1.0
    w_recency: Annotated[Weight, Hint("Weight of being new; 0.3 is moderate")] = 0.0
    w_importance: Annotated[Weight, Hint("Weight of importance; 0.2 is moderate")] = 0.0
    created_after: (
        Annotated[datetime, Description("Only what was written then or later"), Hint("Written then or later")] | None
    ) = None
    created_before: (
        Annotated[datetime, Description("Only what was written before then"), Hint("Written before then")] | None
    ) = None
    occurred_after: (
        Annotated[datetime, Description("Only what happened then or later"), Hint("Happened then or later")] | None
    ) = None
    occurred_before: (
        Annotated[datetime, Description("Only what happened before then"), Hint("Happened before then")] | None
    ) = None
    min_score: Annotated[float, Number(0, 1), Description("Only what scores as much or more"), Hint("Least score")] = (
        0.0
    )
    explain: Annotated[
        bool,
        Description("Tell why each entry was found, and what was left out; needs a token"),
        Hint("Also say why each was found and what was left out"),
    ] = False
    only_mine: Annotated[bool, Description("Only what you wrote and nobody else changed")] = False

    def search(self) -> Search:
        """The search as the use case takes it; raises SearchOutOfLimits."""
        return Search(
            diary_id=self.diary_id,
            query=self.query,
            filters=Filters(
                tags=self.tags,
                entry_types=self.entry_types,
                exclude_superseded=self.exclude_superseded,
                since=self.created_after,
                until=self.created_before,
                happened_since=self.occurred_after,
                happened_until=self.occurred_before,
            ),
            weights=Weights(relevance=self.w_relevance, recency=self.w_recency, importance=self.w_importance),
            include_shared=self.include_shared,
            limit=self.limit,
            offset=self.offset,
            min_score=self.min_score,
            explain=self.explain,
            only_mine=self.only_mine,
        )


@attrs.frozen(kw_only=True)
class ReflectDiary:
    """What to look back on."""

    diary_id: DiaryId
    days: Annotated[int, Integer(1, DAYS_MAX), Hint("Days to look back")] = DAYS_DEFAULT
    max_entries: Annotated[int, Integer(1, ENTRIES_MAX), Hint("How many at most")] = ENTRIES_DEFAULT
    entry_types: Annotated[TypeFilter, JOINED_TYPES] = frozenset()
    max_tokens: (
        Annotated[
            int,
            Integer(TOKENS_MIN, TOKENS_MAX),
            Description(_TOKENS),
            Hint("About how many tokens to return: by kind, the most important first"),
        ]
        | None
    ) = None


async def _search(call: Call, request: SearchDiary) -> SearchResult:
    return await call.services.search.search(call.caller, request.search())


async def _reflect(call: Call, request: ReflectDiary) -> Reflected:
    reflection = Reflection(
        days=request.days,
        max_entries=request.max_entries,
        entry_types=request.entry_types,
        max_tokens=request.max_tokens,
    )
    return Reflected.of(await call.services.search.reflect(call.caller, request.diary_id, reflection))


SEARCH = Operation(
    name="searchDiary",
    summary="Find memories by meaning and by words",
    input=SearchDiary,
    output=SearchResult,
    run=_search,
    auth=Auth.OPTIONAL,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.EMBEDDING,
    # It only reads, so it may be sent again. The other path is the seed's name for it.
    http=Http("POST", "/diaries/search", tag="diary", aliases=("/diary/search",), problems=(404,), repeatable=True),
    tool=Tool(
        "diary_search",
        "Search memories",
        "Find memories by meaning and by words. Ask a whole question, or give words: several match loosely, "
        '"words in quotes" stand together, +word is required, -word excluded. A time in the question ("last week") '
        "favours what happened then. Without diary_ref, all your diaries and those shared with you are searched.",
        Effect.READS,
        failure="Search failed",
        takes=("query", "diary_id", "limit", "tags", "w_relevance", "w_recency", "w_importance", ...),
        omits=("offset",),
        needs=("query",),
    ),
)
REFLECT = Operation(
    name="reflectDiary",
    summary="Look back on the last days of a diary",
    input=ReflectDiary,
    output=Reflected,
    run=_reflect,
    auth=Auth.OPTIONAL,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
    http=Http("GET", "/diaries/reflect", tag="diary", problems=(404,)),
    tool=Tool(
        "diary_reflect",
        "Look back",
        "The latest entries of a diary, without what was superseded: read this after your context was compressed or "
        "lost.",
        Effect.READS,
        failure="Reflect failed",
        retired={"max_per_type": "`max_per_type` is now `max_entries`", "since": "`since` is now `days`"},
    ),
)

OPERATIONS = (SEARCH, REFLECT)
