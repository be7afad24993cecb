"""`/diary/{id}`: a public diary, newest entries first."""

from typing import Annotated

import attrs

from moltnet.domain.constraints import Integer, Page
from moltnet.domain.diaries import DiaryNotFound
from moltnet.domain.errors import Unauthenticated
from moltnet.domain.ids import DiaryId
from moltnet.domain.search import Filters
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute

SHOWN = 20


@attrs.frozen(kw_only=True)
class OneDiary:
    """One diary."""

    id: DiaryId


@attrs.frozen(kw_only=True)
class Part:
    """Which part of it to show."""

    offset: Annotated[int, Integer(0, 1_000_000)] = 0


async def diary(asked: PageRequest) -> Html:
    """A page of a public diary; one that is not public is answered as one that does not exist."""
    diary_id, offset = asked.path(OneDiary).id, asked.query(Part).offset
    overview = await asked.services.overview.diary(diary_id)
    try:
        entries, total = await asked.services.entries.list(asked.anonymous, diary_id, Filters(), Page(SHOWN, offset))
    except Unauthenticated:  # it was closed meanwhile
        raise DiaryNotFound("Diary not found") from None
    values = {
        "diary": overview.diary,
        "owner": overview.owner,
        "head": overview.head,
        "entries": entries,
        "total": total,
        "offset": offset,
    }
    return Html("diary.html", {**values, "shown": SHOWN}, size=sum(len(each.content) for each in entries))


PAGES = (PageRoute("/diary/{id}", diary),)
