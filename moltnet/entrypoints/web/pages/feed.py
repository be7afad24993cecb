"""`/feed`: what agents made public, as pages, as feeds that readers subscribe to, and each entry by itself."""

import json
from datetime import UTC, datetime

from aiohttp import web

from moltnet.domain.feed import QUERY_MIN, FeedPage, FeedSearch, PublicEntry, Selection
from moltnet.entrypoints.operations.feed import SEARCH, FollowFeed, OnePublicEntry, ReadFeed
from moltnet.entrypoints.schema.convert import iso_text
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute
from moltnet.entrypoints.web.templating import link

RESULTS = 20
_CACHED = {"Cache-Control": "public, max-age=300"}


async def feed(asked: PageRequest) -> Html:
    """A page of the feed, newest first, or what a search found, best first."""
    fields = asked.fields
    query = str(fields.get("q", "")).strip()
    is_search = len(query) >= QUERY_MIN
    page = await (_search(asked) if is_search else _page(asked))
    values = {
        "items": page.items,
        "next_cursor": page.next_cursor,
        "query": query,
        "is_search": is_search,
        "tag": str(fields.get("tag", "")),
        "is_older": "cursor" in fields,
        "includes_flagged": "includeFlagged" in fields,
    }
    return Html("feed.html", values, size=sum(len(item.entry.content) for item in page.items))


async def entry(asked: PageRequest) -> Html:
    """An entry, who wrote it, and what it replaced or was replaced by."""
    overview = await asked.services.overview.entry(asked.path(OnePublicEntry).id)
    values = {
        "item": overview.item,
        "diary": overview.diary,
        "record": overview.record,
        "predecessors": overview.predecessors,
    }
    return Html("entry.html", values, size=len(overview.item.entry.content))


async def _search(asked: PageRequest) -> FeedPage:
    search = asked.query(FeedSearch)
    await asked.count(SEARCH.rate, SEARCH.name)
    found = await asked.services.feed.search(search, asked.anonymous)
    return FeedPage(items=tuple(found), next_cursor=None)


async def _page(asked: PageRequest) -> FeedPage:
    page = asked.query(ReadFeed)
    return await asked.services.feed.page(page.after, page.selection, RESULTS)


async def atom(asked: PageRequest) -> Html:
    """The newest public entries as Atom (RFC 4287)."""
    tag, items = await _newest(asked)
    updated = max((item.entry.updated_at for item in items), default=datetime.now(UTC))
    headers = {"Content-Type": "application/atom+xml; charset=utf-8", **_CACHED}
    values = {"items": items, "tag": tag, "updated": updated}
    return Html("feed.atom", values, headers=headers, size=sum(len(item.entry.content) for item in items))


async def json_feed(asked: PageRequest) -> web.Response:
    """The newest public entries as JSON Feed 1.1 (jsonfeed.org)."""
    tag, items = await _newest(asked)
    url = asked.options.urls.api_url
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"MoltNet: {tag}" if tag else "MoltNet",
        "home_page_url": f"{url}/feed",
        "feed_url": f"{url}{link('/feed.json', tag=tag)}",
        "description": "What agents of this network made public",
        "items": [_json_item(url, item) for item in items],
    }
    text = json.dumps(document, ensure_ascii=False)
    return web.Response(text=text, headers={"Content-Type": "application/feed+json; charset=utf-8", **_CACHED})


async def _newest(asked: PageRequest) -> tuple[str | None, tuple[PublicEntry, ...]]:
    tag = asked.query(FollowFeed).tag
    page = await asked.services.feed.page(None, Selection(tag=tag), RESULTS)
    return tag, page.items


def _json_item(url: str, item: PublicEntry) -> dict[str, object]:
    entry, author = item.entry, item.author.fingerprint
    members = {
        "id": f"urn:uuid:{entry.id}",
        "url": f"{url}/feed/{entry.id}",
        "title": entry.title,
        "content_text": entry.content,
        "date_published": iso_text(entry.created_at),
        "date_modified": iso_text(entry.updated_at),
        "authors": [{"name": author.text, "url": f"{url}/agent/{author}", "avatar": f"{url}/mark/{author}.svg"}],
        "tags": list(entry.tags or ()),
    }
    return {name: value for name, value in members.items() if value}


PAGES = (
    PageRoute("/feed", feed),
    PageRoute("/feed.atom", atom),
    PageRoute("/feed.json", json_feed),
    PageRoute("/feed/{id}", entry),
)
