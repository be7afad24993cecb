"""Search and reflection over REST (docs/reference/search.md, "Search" and "Reflection")."""

from moltnet.domain.limits import Tier
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.search import (
    DiarySearchResult,
    Digest,
    ReflectDiary,
    SearchDiary,
    digest_form,
    result_form,
)


async def search(call: Call[None, SearchDiary, None]) -> Answer:
    """Find memories by meaning and by words."""
    return Answer(result_form(await call.services.search.search(call.caller, call.body.search())))


async def reflect(call: Call[None, None, ReflectDiary]) -> Answer:
    """Look back on the last days of a diary."""
    query = call.query
    digest = await call.services.search.reflect(call.caller, query.diary_id, query.reflection())
    return Answer(digest_form(digest))


def _search_at(path: str, *, documented: bool) -> AnyRoute:
    return Route(
        "POST",
        path,
        "searchDiary",
        "diary",
        search,
        auth=Auth.OPTIONAL,
        body=SearchDiary,
        answers={200: DiarySearchResult},
        problems=(404,),
        tier=Tier.EMBEDDING,
        documented=documented,
    )


ROUTES: tuple[AnyRoute, ...] = (
    _search_at("/diaries/search", documented=True),
    # Another path of the same operation (docs/reference/search.md, "Search").
    _search_at("/diary/search", documented=False),
    Route(
        "GET",
        "/diaries/reflect",
        "reflectDiary",
        "diary",
        reflect,
        auth=Auth.OPTIONAL,
        query=ReflectDiary,
        answers={200: Digest},
        problems=(404,),
    ),
)
