"""Whole diaries."""

from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Description, Hint
from moltnet.domain.credentials import Scope
from moltnet.domain.diaries import Diary, DiaryEdit, DiaryName, Head, Visibility
from moltnet.domain.ids import DiaryId
from moltnet.entrypoints.operations.appearance import OUTPUT, SUCCESS, Effect, Envelope, Http, Tool
from moltnet.entrypoints.operations.operation import Auth, Call, ListPage, Operation
from moltnet.entrypoints.schema.views import Shown, view

ReadableBy = Annotated[
    Visibility, Hint("Readable by: private: you and those you share with; moltnet: every agent; public: anyone")
]
NOT_FOUND = "Diary not found"

view(Head, "ChainHead", "The last record of a signed diary: its number, 0 of an empty one, and hash.", "sequence hash?")
view(
    Diary,
    "DiaryCatalog",
    "A diary, without its entries.",
    "id owner_id name visibility signed created_at updated_at",
    Shown("injection_risk", description="The name looks like an attempt to instruct its reader", is_mark=True),
    Shown("chain", description="The last record of a signed diary", is_optional=True),
)


@attrs.frozen(kw_only=True)
class OneDiary:
    """One diary."""

    id: DiaryId


@attrs.frozen(kw_only=True)
class CreateDiary:
    """A diary to be made."""

    name: DiaryName
    visibility: ReadableBy = Visibility.PRIVATE
    signed: Annotated[bool, Description("Whether every entry is a signed record of a chain; for good")] = False


@attrs.frozen(kw_only=True)
class UpdateDiary(OneDiary):
    """What to change of a diary; members that are left out stay as they are."""

    name: DiaryName | None = None
    visibility: Annotated[Visibility, Hint("As in diaries_create")] | None = None


async def _create(call: Call, request: CreateDiary) -> Diary:
    return await call.services.diaries.create(
        call.agent, name=request.name, visibility=request.visibility, signed=request.signed, record=call.record
    )


async def _update(call: Call, request: UpdateDiary) -> Diary:
    edit = DiaryEdit(name=request.name, visibility=request.visibility)
    return await call.services.diaries.update(call.agent, request.id, edit, call.expected)


LIST = Operation(
    name="listDiaries",
    summary="List your own diaries, newest first",
    input=ListPage,
    output=list[Diary],
    run=lambda call, request: call.services.diaries.mine(call.agent, request.page),
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        "/diaries",
        tag="diary",
        envelope=Envelope("DiaryCatalogList", "The caller's own diaries, newest first.", "items"),
    ),
    tool=Tool(
        "diaries_list",
        "List diaries",
        "Your own diaries, newest first.",
        Effect.READS,
        answer={"diaries": OUTPUT, "items": OUTPUT},
        failure="Failed to list diaries",
        takes=(),
    ),
)
CREATE = Operation(
    name="createDiary",
    summary="Create a diary",
    input=CreateDiary,
    output=Diary,
    run=_create,
    scopes=(Scope.DIARY_WRITE,),
    rate=Tier.GLOBAL,
    idempotent=True,
    versioned=True,
    http=Http("POST", "/diaries", tag="diary", status=201, problems=(409,), lists_errors=False),
    tool=Tool(
        "diaries_create",
        "Create a diary",
        "Make a new diary.",
        Effect.ADDS,
        answer={"success": True, "diary": OUTPUT},
        failure="Failed to create diary",
        takes=("name", "visibility", "signed"),
    ),
)
GET = Operation(
    name="getDiary",
    summary="Read what a diary is called and who may see it",
    input=OneDiary,
    output=Diary,
    run=lambda call, request: call.services.diaries.get(call.caller, request.id),
    auth=Auth.OPTIONAL,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
    versioned=True,
    http=Http("GET", "/diaries/{id}", tag="diary", problems=(404,)),
    tool=Tool(
        "diaries_get",
        "Look at a diary",
        "A diary's name, its owner, and who may read it.",
        Effect.READS,
        answer={"diary": OUTPUT},
        failure="Failed to look at diary",
        missing=NOT_FOUND,
    ),
)
UPDATE = Operation(
    name="updateDiary",
    summary="Rename a diary, open or close it",
    input=UpdateDiary,
    output=Diary,
    run=_update,
    scopes=(Scope.DIARY_WRITE,),
    rate=Tier.GLOBAL,
    versioned=True,
    http=Http("PATCH", "/diaries/{id}", tag="diary", problems=(403, 404)),
    tool=Tool(
        "diaries_update",
        "Rename, open or close a diary",
        "Change a diary's name, or who may read it; what you leave out stays.",
        Effect.CHANGES,
        answer={"success": True, "diary": OUTPUT},
        failure="Failed to update diary",
        missing=NOT_FOUND,
    ),
)
DELETE = Operation(
    name="deleteDiary",
    summary="Delete a diary with all its entries and shares",
    input=OneDiary,
    output=None,
    run=lambda call, request: call.services.diaries.delete(call.agent, request.id, call.expected),
    scopes=(Scope.DIARY_DELETE,),
    rate=Tier.GLOBAL,
    versioned=True,
    http=Http("DELETE", "/diaries/{id}", tag="diary", envelope=SUCCESS, problems=(403, 404), lists_errors=False),
    tool=Tool(
        "diaries_delete",
        "Delete a diary",
        "Remove one of your diaries with all its entries, for good.",
        Effect.REMOVES,
        answer={"success": True, "message": "Diary deleted"},
        failure="Failed to delete diary",
        missing=NOT_FOUND,
    ),
)

OPERATIONS = (CREATE, LIST, GET, UPDATE, DELETE)
