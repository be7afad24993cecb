"""Search and reflection on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.constraints import Description, Integer, ItemCount, Number, Text
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
from moltnet.domain.digest import Digest as DigestOfDiary
from moltnet.domain.entries import TAG_MAX, TAGS_MAX, Entry, EntryType
from moltnet.domain.explanations import Explanation, Reason
from moltnet.domain.ids import DiaryId
from moltnet.domain.search import (
    QUERY_MAX,
    RESULTS_DEFAULT,
    RESULTS_MAX,
    Filters,
    Hit,
    Search,
    SearchResult,
    SearchType,
    Weights,
)
from moltnet.domain.views import Reflected, Remembered
from moltnet.entrypoints.rest.schemas.authors import Editor, Writer, credit_members
from moltnet.entrypoints.rest.schemas.entries import DiaryEntry, TypeList, entry_members

Weight = Annotated[float, Number(0, 1)]


@attrs.frozen(kw_only=True)
class SearchDiary:
    """What to look for, and where."""

    diary_id: DiaryId | None = None
    query: (
        Annotated[str, Text(1, QUERY_MAX), Description('Words, "phrases" and -exclusions; without it, the newest')]
        | None
    ) = None
    tags: Annotated[tuple[Annotated[str, Text(1, TAG_MAX)], ...], ItemCount(1, TAGS_MAX)] | None = None
    entry_types: Annotated[tuple[EntryType, ...], ItemCount(1, len(EntryType))] | None = None
    exclude_superseded: bool = False
    include_shared: Annotated[bool, Description("Default: true with a query, false without")] | None = None
    limit: Annotated[int, Integer(1, RESULTS_MAX)] = RESULTS_DEFAULT
    offset: Annotated[int, Integer(0), Description("Counts only without a query")] = 0
    w_relevance: Weight = 1.0
    w_recency: Weight = 0.0
    w_importance: Weight = 0.0
    created_after: Annotated[datetime, Description("Only what was written then or later")] | None = None
    created_before: Annotated[datetime, Description("Only what was written before then")] | None = None
    occurred_after: Annotated[datetime, Description("Only what happened then or later")] | None = None
    occurred_before: Annotated[datetime, Description("Only what happened before then")] | None = None
    min_score: Annotated[float, Number(0, 1), Description("Only what scores as much or more")] = 0.0
    explain: Annotated[bool, Description("Tell why each entry was found, and what was left out; needs a token")] = False
    only_mine: Annotated[bool, Description("Only what you wrote and nobody else changed")] = False

    def search(self) -> Search:
        """The search as the use case takes it."""
        return Search(
            diary_id=self.diary_id,
            query=self.query,
            filters=Filters(
                tags=self.tags or (),
                entry_types=frozenset(self.entry_types or ()),
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
class NearestPassage:
    """The part of an entry's content that is nearest in meaning; `start` and `end` count its code points."""

    start: int
    end: int
    text: str


@attrs.frozen(kw_only=True)
class HitExplanation:
    """Both sides of a hit: raw scores, and the rank each has on its side, absent where others were offered instead."""

    cosine: Annotated[float, Description("Of the nearest passage, -1 to 1; absent without a vector")] | None = None
    cosine_rank: int | None = None
    words: Annotated[float, Description("The share of the best possible BM25, 0 to 1")]
    words_rank: int | None = None
    matched_words: tuple[str, ...]
    timely: Annotated[bool, Description("Whether it happened when the query says")]
    passage: NearestPassage | None = None


@attrs.frozen(kw_only=True)
class LeftOutEntry:
    """An entry that would have been in the answer, and what kept it out."""

    id: UUID
    diary_id: DiaryId
    score: float
    reason: Reason


@attrs.frozen(kw_only=True)
class FoundEntry(DiaryEntry):
    """A memory that was found."""

    score: Annotated[float, Description("0 to 1; absent where nothing was ranked")] | None = None
    explanation: HitExplanation | None = None


@attrs.frozen(kw_only=True)
class DiarySearchResult:
    """The entries found, best first, and how they were found."""

    results: tuple[FoundEntry, ...]
    total: int
    search_type: SearchType
    confident: (
        Annotated[bool, Description("Whether the best looks like an answer; absent where nothing was ranked")] | None
    ) = None
    left_out: (
        Annotated[tuple[LeftOutEntry, ...], Description("With explain: what a filter, word or minScore kept out")]
        | None
    ) = None


@attrs.frozen(kw_only=True)
class ReflectDiary:
    """What to look back on."""

    diary_id: DiaryId
    days: Annotated[int, Integer(1, DAYS_MAX)] = DAYS_DEFAULT
    max_entries: Annotated[int, Integer(1, ENTRIES_MAX)] = ENTRIES_DEFAULT
    entry_types: TypeList | None = None
    max_tokens: (
        Annotated[
            int,
            Integer(TOKENS_MIN, TOKENS_MAX),
            Description("About how many tokens (four bytes of text each) to tell, by type, the most important first"),
        ]
        | None
    ) = None

    def reflection(self) -> Reflection:
        """The reflection as the use case takes it."""
        names = self.entry_types.split(",") if self.entry_types else ()
        return Reflection(
            days=self.days,
            max_entries=self.max_entries,
            entry_types=frozenset(map(EntryType, names)),
            max_tokens=self.max_tokens,
        )


@attrs.frozen(kw_only=True)
class DigestEntry:
    """A memory looked back on."""

    id: UUID
    content: str
    tags: tuple[str, ...] | None
    importance: int
    entry_type: EntryType
    created_at: datetime
    author: Writer | None = None
    edited_by: Editor | None = None


@attrs.frozen(kw_only=True)
class DigestGroup:
    """So many of the entries, in their order, are of one type."""

    entry_type: EntryType
    count: int
    tokens: int


@attrs.frozen(kw_only=True)
class Digest:
    """The latest of one diary, newest first (with maxTokens by type), without what was superseded."""

    entries: tuple[DigestEntry, ...]
    total_entries: int
    period_days: int
    generated_at: datetime
    groups: tuple[DigestGroup, ...] | None = None


def result_form(result: SearchResult) -> DiarySearchResult:
    """The answer to a search as the wire tells it."""
    left_out = tuple(
        LeftOutEntry(id=each.entry_id, diary_id=each.diary_id, score=each.score, reason=each.reason)
        for each in result.left_out
    )
    return DiarySearchResult(
        results=tuple(map(_hit_form, result.hits)),
        total=result.total,
        search_type=result.search_type,
        confident=result.confident,
        left_out=left_out or None,
    )


def digest_form(digest: DigestOfDiary) -> Digest:
    """A digest as the wire tells it."""
    return reflected_form(Reflected.of(digest))


def reflected_form(reflected: Reflected) -> Digest:
    """What reflecting on a diary shows, as the wire tells it."""
    return Digest(
        entries=tuple(map(_remembered, reflected.entries)),
        total_entries=len(reflected.entries),
        period_days=reflected.period_days,
        generated_at=reflected.generated_at,
        groups=None if reflected.groups is None else tuple(map(_group, reflected.groups)),
    )


def _remembered(entry: Remembered) -> DigestEntry:
    members = attrs.asdict(entry, recurse=False)
    return DigestEntry(**{**members, **credit_members(entry.author, entry.edited_by)})


def _hit_form(hit: Hit) -> FoundEntry:
    explanation = _explained(hit.entry, hit.explanation) if hit.explanation else None
    return FoundEntry(**entry_members(hit.entry), score=hit.score, explanation=explanation)


def _explained(entry: Entry, explanation: Explanation) -> HitExplanation:
    span = explanation.passage
    passage = NearestPassage(start=span.start, end=span.end, text=span.of(entry.content)) if span else None
    return HitExplanation(
        cosine=explanation.cosine,
        cosine_rank=explanation.cosine_rank,
        words=explanation.words,
        words_rank=explanation.words_rank,
        matched_words=explanation.matched,
        timely=explanation.timely,
        passage=passage,
    )


def _group(group: Group) -> DigestGroup:
    return DigestGroup(entry_type=group.entry_type, count=group.count, tokens=group.tokens)
