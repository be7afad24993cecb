"""`/feed/{id}`: one public entry at its permanent address."""

from moltnet.entrypoints.operations.feed import OnePublicEntry
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute


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


PAGES = (PageRoute("/feed/{id}", entry),)
