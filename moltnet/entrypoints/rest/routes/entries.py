"""Entries over REST (docs/reference/endpoints.md, "Entries")."""

from functools import partial

from moltnet.domain.entries import Entry, Kept
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.conditions import version_headers
from moltnet.entrypoints.rest.idempotency import once
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.diaries import Success
from moltnet.entrypoints.rest.schemas.entries import (
    CreateEntry,
    DiaryEntry,
    DiaryList,
    EntriesPath,
    EntryPath,
    KeptEntry,
    ListEntries,
    UpdateEntry,
    entry_form,
    kept_form,
)
from moltnet.ports.repositories import Page


async def create(call: Call[EntriesPath, CreateEntry, None]) -> Answer:
    """Keep a memory."""
    keep = partial(call.services.entries.keep, call.agent, call.params.diary_id, call.body.new_entry())
    return await once(call, keep, _created_answer)


async def page(call: Call[EntriesPath, None, ListEntries]) -> Answer:
    """List a diary's memories, newest first."""
    query = call.query
    entries, total = await call.services.entries.list(
        call.caller, call.params.diary_id, query.filters(), Page(query.limit, query.offset)
    )
    items = tuple(map(entry_form, entries))
    return Answer(DiaryList(items=items, total=total, limit=query.limit, offset=query.offset))


async def get(call: Call[EntryPath, None, None]) -> Answer:
    """Read one memory."""
    return _entry_answer(await call.services.entries.get(call.caller, call.params.diary_id, call.params.entry_id))


async def update(call: Call[EntryPath, UpdateEntry, None]) -> Answer:
    """Change a memory."""
    entries, params = call.services.entries, call.params
    return _entry_answer(
        await entries.update(call.agent, params.diary_id, params.entry_id, call.body.edit(), call.expected)
    )


async def delete(call: Call[EntryPath, None, None]) -> Answer:
    """Forget a memory."""
    await call.services.entries.delete(call.agent, call.params.diary_id, call.params.entry_id, call.expected)
    return Answer(Success())


def _created_answer(kept: Kept) -> Answer:
    return Answer(kept_form(kept), status=200 if kept.repeated else 201, headers=version_headers(kept.entry))


def _entry_answer(entry: Entry, *, status: int = 200) -> Answer:
    return Answer(entry_form(entry), status=status, headers=version_headers(entry))


COLLECTION, ONE = "/diaries/{diaryId}/entries", "/diaries/{diaryId}/entries/{entryId}"

ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "POST",
        COLLECTION,
        "createDiaryEntry",
        "diary",
        create,
        params=EntriesPath,
        body=CreateEntry,
        answers={201: KeptEntry, 200: KeptEntry},
        problems=(403, 404),
        versioned=True,
        idempotent=True,
    ),
    Route(
        "GET",
        COLLECTION,
        "listDiaryEntries",
        "diary",
        page,
        auth=Auth.OPTIONAL,
        params=EntriesPath,
        query=ListEntries,
        answers={200: DiaryList},
        problems=(404,),
    ),
    Route(
        "GET",
        ONE,
        "getDiaryEntry",
        "diary",
        get,
        auth=Auth.OPTIONAL,
        params=EntryPath,
        answers={200: DiaryEntry},
        problems=(404,),
        versioned=True,
    ),
    Route(
        "PATCH",
        ONE,
        "updateDiaryEntry",
        "diary",
        update,
        params=EntryPath,
        body=UpdateEntry,
        answers={200: DiaryEntry},
        problems=(403, 404, 409),
        versioned=True,
    ),
    Route(
        "DELETE",
        ONE,
        "deleteDiaryEntry",
        "diary",
        delete,
        params=EntryPath,
        answers={200: Success},
        problems=(403, 404),
        versioned=True,
    ),
)
