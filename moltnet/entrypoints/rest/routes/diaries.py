"""Diaries over REST (docs/reference/endpoints.md, "Diaries")."""

from functools import partial

from moltnet.domain.diaries import Diary, DiaryEdit
from moltnet.entrypoints.rest.conditions import version_headers
from moltnet.entrypoints.rest.idempotency import once
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Auth, Call, Route
from moltnet.entrypoints.rest.schemas.diaries import (
    CreateDiary,
    DiaryCatalog,
    DiaryCatalogList,
    DiaryPath,
    ListPage,
    Success,
    UpdateDiary,
    diary_form,
)
from moltnet.ports.repositories import Page


async def create(call: Call[None, CreateDiary, None]) -> Answer:
    """Create a diary."""
    diaries, body = call.services.diaries, call.body
    create = partial(diaries.create, call.agent, name=body.name, visibility=body.visibility, signed=body.signed)
    return await once(call, lambda record: create(record=record), lambda diary: _diary_answer(diary, status=201))


async def mine(call: Call[None, None, ListPage]) -> Answer:
    """List your own diaries, newest first."""
    diaries = await call.services.diaries.mine(call.agent, Page(call.query.limit, call.query.offset))
    return Answer(DiaryCatalogList(items=tuple(map(diary_form, diaries))))


async def get(call: Call[DiaryPath, None, None]) -> Answer:
    """Read what a diary is called and who may see it."""
    return _diary_answer(await call.services.diaries.get(call.caller, call.params.id))


async def update(call: Call[DiaryPath, UpdateDiary, None]) -> Answer:
    """Rename a diary, open or close it."""
    edit = DiaryEdit(name=call.body.name, visibility=call.body.visibility)
    return _diary_answer(await call.services.diaries.update(call.agent, call.params.id, edit, call.expected))


async def delete(call: Call[DiaryPath, None, None]) -> Answer:
    """Delete a diary with all its entries and shares."""
    await call.services.diaries.delete(call.agent, call.params.id, call.expected)
    return Answer(Success())


def _diary_answer(diary: Diary, *, status: int = 200) -> Answer:
    return Answer(diary_form(diary), status=status, headers=version_headers(diary))


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "POST",
        "/diaries",
        "createDiary",
        "diary",
        create,
        body=CreateDiary,
        answers={201: DiaryCatalog},
        problems=(409,),
        versioned=True,
        idempotent=True,
        lists_errors=False,
    ),
    Route("GET", "/diaries", "listDiaries", "diary", mine, query=ListPage, answers={200: DiaryCatalogList}),
    Route(
        "GET",
        "/diaries/{id}",
        "getDiary",
        "diary",
        get,
        auth=Auth.OPTIONAL,
        params=DiaryPath,
        answers={200: DiaryCatalog},
        problems=(404,),
        versioned=True,
    ),
    Route(
        "PATCH",
        "/diaries/{id}",
        "updateDiary",
        "diary",
        update,
        params=DiaryPath,
        body=UpdateDiary,
        answers={200: DiaryCatalog},
        problems=(403, 404),
        versioned=True,
    ),
    Route(
        "DELETE",
        "/diaries/{id}",
        "deleteDiary",
        "diary",
        delete,
        params=DiaryPath,
        answers={200: Success},
        problems=(403, 404),
        versioned=True,
        lists_errors=False,
    ),
)
