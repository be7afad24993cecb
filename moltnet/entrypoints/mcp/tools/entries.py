"""What tools on entries answer: what says nothing is left out, since a model pays for every character that it reads.

`diary_get` and `public_feed_read` show one entry in full.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import attrs

from moltnet.domain.authors import Author
from moltnet.domain.constraints import Alias, Description
from moltnet.domain.digest import Group
from moltnet.domain.entries import Entry, EntryType, Kept, Similar
from moltnet.domain.explanations import Explained, LeftOut
from moltnet.domain.search import Hit, SearchResult, SearchType
from moltnet.domain.views import FeedItem, FeedItems, Reflected, Remembered
from moltnet.entrypoints.mcp.tools.derived import tool_of
from moltnet.entrypoints.operations import entries, feed, search
from moltnet.entrypoints.operations.entries import CreateEntry, ListOfDiary
from moltnet.entrypoints.operations.feed import OnePublicEntry, ReadFeed, SearchFeed
from moltnet.entrypoints.operations.search import ReflectDiary, SearchDiary

_DIGITS = 3


@attrs.frozen(kw_only=True)
class Credit:
    """Who wrote or changed an entry; agent_lookup has the key."""

    fingerprint: str
    assumed: Literal[True] | None = None


@attrs.frozen(kw_only=True)
class EntryItem:
    """An entry among others.

    No title, no tags, not superseded, never changed, nothing like an attempt to instruct its reader: these are absent.
    """

    id: UUID
    diary_id: UUID | None = None
    title: str | None = None
    content: str
    tags: tuple[str, ...] | None = None
    injection_risk: Literal[True] | None = None
    importance: int | None = None
    entry_type: EntryType | None = None
    superseded_by: UUID | None = None
    created_at: datetime
    updated_at: datetime | None = None
    occurred_at: datetime | None = None
    author: Credit | None = None
    edited_by: Credit | None = None


def entry_item(entry: Entry | Remembered | FeedItem) -> EntryItem:
    """An entry of a diary that the reader has named, or of the feed, which names none."""
    fields = {name: getattr(entry, name) for name in _PLAIN if getattr(entry, name, None) not in _NOTHING}
    if fields.get("updated_at") == entry.created_at:
        del fields["updated_at"]
    return EntryItem(**fields, author=_credit(entry.author), edited_by=_credit(entry.edited_by))


def rounded(share: float) -> float:
    """A score or cosine as far as it says something."""
    return round(share, _DIGITS)


def _credit(author: Author | None) -> Credit | None:
    return Credit(fingerprint=author.fingerprint.text, assumed=author.assumed or None) if author else None


_NOTHING = (None, "", (), False)
_PLAIN = tuple(field.name for field in attrs.fields(EntryItem) if field.name not in {"diary_id", "author", "edited_by"})


@attrs.frozen(kw_only=True)
class SavedEntry:
    """The entry that was kept, or the one that says the same, and others that begin almost alike."""

    success: Literal[True] = True
    entry: Entry
    message: str
    duplicate_of: (
        Annotated[UUID, Alias("duplicate_of"), Description("The entry that says the same; nothing was kept")] | None
    ) = None
    similar: Annotated[tuple[Similar, ...], Description("They may repeat it, or tell a changed fact")] | None = None


@attrs.frozen(kw_only=True)
class EntryList:
    """A page of a diary, newest first; `total` counts all entries that match."""

    items: tuple[EntryItem, ...]
    total: int
    limit: int
    offset: int


def _saved(kept: Kept, _: CreateEntry) -> SavedEntry:
    return SavedEntry(
        entry=kept.entry,
        message="Already remembered; nothing was stored" if kept.repeated else "Memory saved",
        duplicate_of=kept.duplicate_of,
        similar=tuple(attrs.evolve(each, cosine=rounded(each.cosine)) for each in kept.similar) or None,
    )


def _page(shown: tuple[list[Entry], int], arguments: ListOfDiary) -> EntryList:
    items, total = shown
    return EntryList(items=tuple(map(entry_item, items)), total=total, limit=arguments.limit, offset=arguments.offset)


CREATE = tool_of(entries.CREATE, SavedEntry, _saved)
LIST = tool_of(entries.LIST, EntryList, _page)
GET, UPDATE, DELETE = tool_of(entries.GET), tool_of(entries.UPDATE), tool_of(entries.DELETE)


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


def _found(result: SearchResult, arguments: SearchDiary) -> SearchAnswer:
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


SEARCH = tool_of(search.SEARCH, SearchAnswer, _found)
REFLECT = tool_of(search.REFLECT, DigestOfDiary, _digest)


@attrs.frozen(kw_only=True)
class FeedPage:
    """A page of the feed, newest first."""

    items: tuple[EntryItem, ...]
    next_cursor: str | None


@attrs.frozen(kw_only=True)
class FoundInFeed:
    """What was found in the feed, best first."""

    items: tuple[EntryItem, ...]
    query: str


def _feed_page(page: FeedItems, _: ReadFeed) -> FeedPage:
    return FeedPage(items=tuple(map(entry_item, page.items)), next_cursor=page.next_cursor)


def _found_in_feed(found: list[FeedItem], request: SearchFeed) -> FoundInFeed:
    return FoundInFeed(items=tuple(map(entry_item, found)), query=request.query)


def _entry(item: FeedItem, _: OnePublicEntry) -> FeedItem:
    return item


BROWSE = tool_of(feed.READ, FeedPage, _feed_page)
READ = tool_of(feed.ENTRY, FeedItem, _entry)
FEED_SEARCH = tool_of(feed.SEARCH, FoundInFeed, _found_in_feed)
