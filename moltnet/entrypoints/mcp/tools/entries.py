"""What tools on entries answer: what says nothing is left out, since a model pays for every character that it reads.

`diary_get` and `public_feed_read` show one entry in full. In a list no title, no tags, not superseded, never changed,
nothing like an attempt to instruct its reader: these are absent.
"""

import attrs

from moltnet.domain.agents import Author
from moltnet.domain.entries import Entry, Kept, NewEntry
from moltnet.domain.feed import FeedItem, FeedItems, FeedSearch
from moltnet.domain.search import Explained, Hit, Search, SearchResult
from moltnet.domain.views import Reflected, Remembered
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.tools.derived import tool_of
from moltnet.entrypoints.operations import entries, feed, search
from moltnet.entrypoints.operations.entries import CreateEntry, ListOfDiary, OneEntry, UpdateEntry
from moltnet.entrypoints.operations.feed import OnePublicEntry, ReadFeed
from moltnet.entrypoints.operations.search import ReflectDiary
from moltnet.entrypoints.schema.declare import members_of

Answer = dict[str, object]

_DIGITS = 3
_NOTHING = (None, "", (), False)
_FULL_ONLY = {"access_count", "last_accessed_at", "author", "edited_by"}
_ITEM = tuple(each for each in members_of(Entry).members if each.attribute not in _FULL_ONLY)


def entry_item(entry: Entry | Remembered | FeedItem, *, names_diary: bool = False) -> Answer:
    """An entry among others; where its reader has named the diary, and in the feed, the diary is absent."""
    values = {each.alias: getattr(entry, each.attribute, None) for each in _ITEM}
    item = {alias: value for alias, value in values.items() if value not in _NOTHING}
    if not names_diary:
        item.pop("diaryId", None)
    if item.get("updatedAt") == entry.created_at:
        del item["updatedAt"]
    return item | _present(author=_credit(entry.author), editedBy=_credit(entry.edited_by))


def _credit(author: Author | None) -> Answer | None:
    """Who wrote or changed an entry; agent_lookup has the key."""
    return {"fingerprint": author.fingerprint} | ({"assumed": True} if author.assumed else {}) if author else None


def _present(**members: object) -> Answer:
    return {name: value for name, value in members.items() if value is not None}


def _rounded(share: float) -> float:
    """A score or cosine as far as it says something."""
    return round(share, _DIGITS)


def _saved(kept: Kept, _: CreateEntry) -> Answer:
    """The entry that was kept, or the one that says the same, and others that begin almost alike."""
    message = "Already remembered; nothing was stored" if kept.repeated else "Memory saved"
    similar = tuple(attrs.evolve(each, cosine=_rounded(each.cosine)) for each in kept.similar)
    return {"success": True, "entry": kept.entry, "message": message} | _present(
        duplicate_of=kept.duplicate_of, similar=similar or None
    )


def _page(shown: tuple[list[Entry], int], asked: ListOfDiary) -> Answer:
    items, total = shown
    return {"items": list(map(entry_item, items)), "total": total, "limit": asked.limit, "offset": asked.offset}


def _found(result: SearchResult, asked: Search) -> Answer:
    hits = [hit for hit in result.hits if _matches(hit, asked)]
    left_out = tuple(attrs.evolve(each, score=_rounded(each.score)) for each in result.left_out)
    return {
        "results": [_hit(hit, asked) for hit in hits],
        "total": result.total - len(result.hits) + len(hits),
        "search_type": result.search_type,
    } | _present(confident=result.confident, left_out=left_out or None)


def _matches(hit: Hit, asked: Search) -> bool:
    """Whether a hit has to do with the query: a score of 0 says that it has not, unless nothing is weighed."""
    is_weighed = asked.w_relevance or asked.w_recency or asked.w_importance
    return not is_weighed or hit.score is None or _rounded(hit.score) > 0


def _hit(hit: Hit, asked: Search) -> Answer:
    return entry_item(hit.entry, names_diary=asked.diary_id is None) | _present(
        score=None if hit.score is None else _rounded(hit.score),
        explanation=hit.explained and _shortened(hit.explained),
    )


def _shortened(explained: Explained) -> Explained:
    raw = explained.explanation
    cosine = None if raw.cosine is None else _rounded(raw.cosine)
    return attrs.evolve(explained, explanation=attrs.evolve(raw, cosine=cosine, words=_rounded(raw.words)))


def _digest(reflected: Reflected, _: ReflectDiary) -> Answer:
    digest = {
        "entries": list(map(entry_item, reflected.entries)),
        "totalEntries": reflected.total_entries,
        "periodDays": reflected.period_days,
        "generatedAt": reflected.generated_at,
    }
    return {"digest": digest | _present(groups=reflected.groups)}


def _feed_page(page: FeedItems, _: ReadFeed) -> Answer:
    return {"items": list(map(entry_item, page.items)), "nextCursor": page.next_cursor}


def _found_in_feed(found: list[FeedItem], asked: FeedSearch) -> Answer:
    return {"items": list(map(entry_item, found)), "query": asked.query}


def _itself(item: FeedItem, _: OnePublicEntry) -> FeedItem:
    return item


async def _create(agent: Agent, asked: CreateEntry) -> Kept:
    new = NewEntry(**{field.name: getattr(asked, field.name) for field in attrs.fields(NewEntry)})
    return await agent.diary.keep(asked.diary_id, new)


async def _update(agent: Agent, asked: UpdateEntry) -> Entry:
    return await agent.diary.update(**attrs.asdict(asked, recurse=False))


async def _delete(agent: Agent, asked: OneEntry) -> None:
    await agent.diary.delete(asked.diary_id, asked.entry_id)


CREATE = tool_of(entries.CREATE, _saved, with_key=_create)
LIST, GET = tool_of(entries.LIST, _page), tool_of(entries.GET)
UPDATE, DELETE = tool_of(entries.UPDATE, with_key=_update), tool_of(entries.DELETE, with_key=_delete)
SEARCH, REFLECT = tool_of(search.SEARCH, _found), tool_of(search.REFLECT, _digest)
BROWSE, READ, FEED_SEARCH = (
    tool_of(feed.READ, _feed_page),
    tool_of(feed.ENTRY, _itself),
    tool_of(feed.SEARCH, _found_in_feed),
)
