"""Finding entries again: search and reflection."""

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.credentials import Scope
from moltnet.domain.digest import (
    Group,
    Reflection,
)
from moltnet.domain.entries import heads_once
from moltnet.domain.search import (
    Explained,
    Explanation,
    Hit,
    LeftOut,
    Passage,
    Search,
    SearchResult,
)
from moltnet.domain.views import Reflected, Remembered
from moltnet.entrypoints.operations.appearance import Effect, Http, Tool
from moltnet.entrypoints.operations.entries import AUTHOR, EDITED_BY, JOINED_TYPES, InDiary
from moltnet.entrypoints.operations.operation import Auth, Call, Operation
from moltnet.entrypoints.schema.views import Shown, Within, view

view(
    Passage,
    "NearestPassage",
    "The part of an entry's content that is nearest in meaning; `start` and `end` count its code points.",
    "start end text",
)
view(
    Explanation,
    "Explanation",
    "All sides of a hit.",
    Shown("cosine", description="Of the nearest passage, -1 to 1; absent without a vector"),
    "cosine_rank",
    Shown("words", description="The share of the best possible BM25, 0 to 1"),
    "words_rank",
    Shown("expansion", description="How much of what the query calls up the entry does too, 0 to 1; absent without"),
    "expansion_rank",
    Shown("matched", "matchedWords"),
    Shown("timely", description="Whether it happened when the query says"),
)
view(
    Explained,
    "HitExplanation",
    "All sides of a hit: raw scores, and the rank each has on its side, absent where others were offered instead.",
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
    Shown(
        "left_out",
        description="With explain: what a filter, word or minScore kept out. Else: what a -word hid, if it is the best",
        is_optional=True,
    ),
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
    Shown("chain", description="The last record, where the diary is signed", is_optional=True),
)


@attrs.frozen(kw_only=True)
class ReflectDiary(Reflection, InDiary):
    """What to look back on."""


async def _reflect(call: Call, request: ReflectDiary) -> Reflected:
    return Reflected.of(await call.services.search.reflect(call.caller, request.diary_id, request))


async def _search(call: Call, request: Search) -> SearchResult:
    result = await call.services.search.search(call.caller, request)
    entries = heads_once([hit.entry for hit in result.hits])
    hits = tuple(attrs.evolve(hit, entry=entry) for hit, entry in zip(result.hits, entries, strict=True))
    return attrs.evolve(result, hits=hits)


SEARCH = Operation(
    name="searchDiary",
    summary="Find memories by meaning and by words",
    input=Search,
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
        '"words in quotes" stand together, +word is required, -word excluded (letters only: flags and numbers are '
        'words). A time in the question ("last week") '
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
    http=Http("GET", "/diaries/reflect", tag="diary", joined={"entry_types": JOINED_TYPES}, problems=(404,)),
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
