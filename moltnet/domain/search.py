"""Questions to the memory: the query language, filters, hits, and why an entry is in an answer or not."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.agents import Author
from moltnet.domain.constraints import Description, Hint, Integer, ItemCount, Number, Text
from moltnet.domain.entries import TAG_MAX, TAGS_MAX, Entry, EntryType, written_tags
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.indexing import Span, Term
from moltnet.domain.query_words import excluded_word, is_requirable


class Reason(StrEnum):
    """Why an entry is left out: a filter, a word it holds or does not hold, or a score below the least asked for."""

    TAGS = "tags"
    ENTRY_TYPES = "entryTypes"
    SUPERSEDED = "superseded"
    FLAGGED = "flagged"
    CREATED = "created"
    OCCURRED = "occurred"
    AUTHOR = "author"
    REQUIRED = "requiredWords"
    EXCLUDED = "excludedWords"
    MIN_SCORE = "minScore"


@attrs.frozen(kw_only=True)
class Explanation:
    """All sides of a hit.

    `cosine`, `words` and `expansion` are the raw scores (None of a side that was not asked for), with the rank each has
    on its side (None: another was offered instead). `matched` are the words of the query that the entry holds, as the
    query writes them. `passage` is the part of the entry's content that is nearest in meaning. `timely` says that it
    happened when the query says.
    """

    cosine: float | None = None
    cosine_rank: int | None = None
    words: float
    words_rank: int | None = None
    expansion: float | None = None
    expansion_rank: int | None = None
    matched: tuple[str, ...]
    passage: Span | None = None
    timely: bool


@attrs.frozen(kw_only=True)
class Passage:
    """The part of an entry's content that is nearest in meaning; `start` and `end` count its code points."""

    start: int
    end: int
    text: str


@attrs.frozen(kw_only=True)
class Explained:
    """An explanation with the text of its passage."""

    explanation: Explanation
    passage: Passage | None


@attrs.frozen(kw_only=True)
class LeftOut:
    """An entry that would have been in the answer, its score, and why it is left out."""

    entry_id: EntryId
    diary_id: DiaryId
    score: float
    reason: Reason


QUERY_MAX = 500
RESULTS_MAX = 100
RESULTS_DEFAULT = 10


class SearchOutOfLimits(Invalid):
    """A query, weight, limit or offset outside its range."""

    code = "SEARCH_OUT_OF_LIMITS"


@attrs.frozen(kw_only=True)
class Query:
    """A text question, taken apart: words, "phrases", -exclusions, +requirements.

    Source: docs/reference/search.md, "Query language".

    `scored` is the text without its exclusions: only that is embedded, since an excluded word attracts what it
    should repel.
    """

    scored: str
    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Query":
        """The query a text asks; every text is one. Operators count at the start or after white space only.

        A flag, a negative number or a telephone number is no operator (`query_words`).
        """
        scored: list[str] = []
        marked: dict[str, list[str]] = {"-": [], "+": [], "": []}
        for match in _TERM.finditer(text):
            phrase = match["phrase"]
            term = phrase if phrase is not None else match["word"] or match["rest"]
            sign = match["sign"] or ""
            if phrase is None and sign:
                sign, term = _read(sign, term, text[: match.start()])
            if not term.strip():
                continue
            if sign or phrase is not None:
                marked[sign].append(term)
            if sign != "-":
                scored.append(term)
        return cls(
            scored=" ".join(scored),
            required=(*marked["+"], *marked[""]),
            excluded=tuple(marked["-"]),
        )


@attrs.frozen(kw_only=True)
class LexicalQuery:
    """A query in terms: what to match, the runs that must stand in an entry, the runs that must not.

    A run of no term, such as of stop words, asks for nothing. `forms` are words that may be stored in several forms, as
    `getUserById` may be: each has alternatives, the most telling first (`ranking.looked_up`). `exact` is the share of
    its words that are names or numbers to the letter, 0 to 1: a model hardly tells one of these from another.
    """

    scored: frozenset[Term] = frozenset()
    forms: tuple[tuple[tuple[Term, ...], ...], ...] = ()
    exact: float = 0.0
    required: tuple[tuple[Term, ...], ...] = ()
    excluded: tuple[tuple[Term, ...], ...] = ()

    @property
    def terms(self) -> frozenset[Term]:
        """Everything that is looked for, in all its forms."""
        return self.scored.union(*chain.from_iterable(self.forms))

    def refusal(self, positions: Mapping[Term, Sequence[int]]) -> Reason | None:
        """Why an entry of these terms is left out, if it is."""
        if not all(stands(run, positions) for run in filter(None, self.required)):
            return Reason.REQUIRED
        return Reason.EXCLUDED if any(stands(run, positions) for run in filter(None, self.excluded)) else None


def stands(run: Sequence[Term], positions: Mapping[Term, Sequence[int]]) -> bool:
    """Whether a run of terms stands in a text of these terms."""
    position_sets = [set(positions.get(term, ())) for term in run]
    return any(
        all(start + step in occupied for step, occupied in enumerate(position_sets)) for start in position_sets[0]
    )


ANY_TERMS = LexicalQuery()


@attrs.frozen(kw_only=True)
class Filters:
    """What an entry must be to be looked at; applied before anything is ranked.

    It holds all of `tags`, is one of `entry_types` (none named: of any), was created at `since` or later and before
    `until`, and what it tells happened at `happened_since` or later and before `happened_until`. With `written_by`, all
    it says is that agent's own (`Entry.is_by`).
    """

    tags: tuple[str, ...] = attrs.field(default=(), converter=written_tags)
    entry_types: frozenset[EntryType] = frozenset()
    exclude_superseded: bool = False
    exclude_flagged: bool = False
    since: datetime | None = None
    until: datetime | None = None
    happened_since: datetime | None = None
    happened_until: datetime | None = None
    written_by: AgentId | None = None

    def refusal(self, entry: Entry) -> Reason | None:
        """Why an entry is not looked at, if it is not."""
        refusals = (
            (not set(self.tags) <= set(entry.tags or ()), Reason.TAGS),
            (bool(self.entry_types) and entry.entry_type not in self.entry_types, Reason.ENTRY_TYPES),
            (self.exclude_superseded and entry.superseded_by is not None, Reason.SUPERSEDED),
            (self.exclude_flagged and entry.injection_risk, Reason.FLAGGED),
            (not _within(entry.created_at, self.since, self.until), Reason.CREATED),
            (not _within(entry.happened_at, self.happened_since, self.happened_until), Reason.OCCURRED),
            (self.written_by is not None and not entry.is_by(self.written_by), Reason.AUTHOR),
        )
        return next((reason for refused, reason in refusals if refused), None)


@attrs.frozen(kw_only=True)
class Weights:
    """How much relevance, recency and importance count, each 0 to 1 (docs/reference/search.md, "Ranking")."""

    relevance: float = 1.0
    recency: float = 0.0
    importance: float = 0.0

    def __attrs_post_init__(self) -> None:
        if not all(0 <= weight <= 1 for weight in (self.relevance, self.recency, self.importance)):
            raise SearchOutOfLimits("a weight is 0 to 1")


class SearchType(StrEnum):
    """How an answer was found (docs/reference/search.md, "Search")."""

    HYBRID = "hybrid"
    SEMANTIC = "semantic"
    FULLTEXT = "fulltext"
    LIST = "list"


TagFilter = Annotated[
    tuple[Annotated[str, Text(1, TAG_MAX)], ...], ItemCount(1, TAGS_MAX), Hint("Only entries with all of these tags")
]
TypeFilter = Annotated[frozenset[EntryType], ItemCount(1, len(EntryType)), Hint("Only these kinds")]
Weight = Annotated[float, Number(0, 1)]


@attrs.frozen(kw_only=True)
class Search:
    """What to look for, and where; no diary means the caller's own, and shared ones if asked.

    Source: docs/reference/search.md, "Search".

    `include_shared` None takes the default of docs/reference/search.md, "Scope of a search": shared diaries for a
    query, only own ones without. Of a query's answer only what scores `min_score` or more is told; with `explain`, why,
    and what was left out. With `only_mine`, only what the caller wrote and nobody else changed.
    """

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

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.min_score <= 1:
            raise SearchOutOfLimits("minScore is 0 to 1")
        if not 1 <= self.limit <= RESULTS_MAX or self.offset < 0:
            raise SearchOutOfLimits(f"limit is 1 to {RESULTS_MAX} and offset at least 0")
        if self.query is not None and not 1 <= len(self.query) <= QUERY_MAX:
            raise SearchOutOfLimits(f"a query has 1 to {QUERY_MAX} characters")

    def filters(self, writer: AgentId | None = None) -> Filters:
        """What an entry must be; with `only_mine` also all by this writer."""
        return Filters(
            tags=self.tags,
            entry_types=self.entry_types,
            exclude_superseded=self.exclude_superseded,
            since=self.created_after,
            until=self.created_before,
            happened_since=self.occurred_after,
            happened_until=self.occurred_before,
            written_by=writer if self.only_mine else None,
        )

    @property
    def weights(self) -> Weights:
        """What counts how much; raises SearchOutOfLimits."""
        return Weights(relevance=self.w_relevance, recency=self.w_recency, importance=self.w_importance)

    @property
    def named_entry(self) -> EntryId | None:
        """The entry whose id the query holds, alone, in an address or among words; None with several ids."""
        ids = set(map(UUID, _ID.findall(self.query or "")))
        return EntryId(ids.pop()) if len(ids) == 1 else None

    @property
    def looks_twice(self) -> bool:
        """Whether the entry that the query names, or what it excludes, is looked at besides what is ranked."""
        return self.named_entry is not None or bool(Query.parse(self.query or "").excluded)

    @property
    def with_shared(self) -> bool:
        """Whether accepted shares are searched too."""
        return self.query is not None if self.include_shared is None else self.include_shared


@attrs.frozen(kw_only=True)
class Hit:
    """An entry of the answer; `score` is 0 to 1, None where nothing was ranked."""

    entry: Entry
    score: float | None = None
    explanation: Explanation | None = None

    @property
    def author(self) -> Author | None:
        """Who wrote it."""
        return self.entry.author

    @property
    def explained(self) -> Explained | None:
        """Why it was found, with the text that is nearest in meaning."""
        if self.explanation is None:
            return None
        span = self.explanation.passage
        passage = Passage(start=span.start, end=span.end, text=span.of(self.entry.content)) if span else None
        return Explained(explanation=self.explanation, passage=passage)


@attrs.frozen(kw_only=True)
class SearchResult:
    """The answer to a search, best first.

    `confident` says whether the best of it looks like an answer at all, None where nothing was ranked. `left_out` are
    entries that would have been among it but for a filter, a word or the least score, if they were asked for; and, in
    any case, the one that would have been the first but for an excluded word.
    """

    hits: tuple[Hit, ...]
    total: int
    search_type: SearchType
    confident: bool | None = None
    left_out: tuple[LeftOut, ...] = ()


_ID = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}(?![0-9A-Za-z])")


def _read(sign: str, word: str, before: str) -> tuple[str, str]:
    """A word with a sign before it: the sign and the word, or no sign and all of it."""
    if sign == "+":
        return (sign, word) if is_requirable(word) else ("", sign + word)
    excluded = excluded_word(word, before)
    return (sign, excluded) if excluded else ("", sign + word)


# A sign counts only before a term that starts the text or follows white space; a quote that never closes is a word.
# What stands right behind a closing quote is a word, unless it is punctuation.
_TERM = re.compile(r'(?:(?<=\s)|^)(?P<sign>[-+]?)(?:"(?P<phrase>[^"]*)"|(?P<word>\S+))|(?P<rest>\S*\w\S*)')


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at < until)
