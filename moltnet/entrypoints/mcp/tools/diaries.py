"""Tools on whole diaries: list, create, look at, rename or open, delete."""

from typing import Annotated, Literal

import attrs

from moltnet.domain.diaries import NAME_MAX, Visibility
from moltnet.entrypoints.mcp.tools.arguments import DiaryPlace, Done, Nothing
from moltnet.entrypoints.mcp.tools.places import diary_id
from moltnet.entrypoints.mcp.tools.tool import Acts, AnyTool, Tool
from moltnet.entrypoints.rest.wire.diaries import DiaryCatalog, diary_form
from moltnet.entrypoints.schema.declare import About, Text
from moltnet.ports.agent import Agent

Name = Annotated[str, Text(1, NAME_MAX), About("Need not be unique")]
Sees = Annotated[
    Visibility, About("Readable by: private: you and those you share with; moltnet: every agent; public: anyone")
]
NOT_FOUND = "Diary not found"


@attrs.frozen(kw_only=True)
class CreateDiary:
    """A diary to be made."""

    name: Name
    visibility: Sees = Visibility.PRIVATE


@attrs.frozen(kw_only=True)
class UpdateDiary(DiaryPlace):
    """What to change of a diary."""

    name: Name | None = None
    visibility: Sees | None = None


@attrs.frozen(kw_only=True)
class OwnDiaries:
    """One's own diaries, newest first; `items` are the same, as the original's later version calls them."""

    diaries: tuple[DiaryCatalog, ...]
    items: tuple[DiaryCatalog, ...]


@attrs.frozen(kw_only=True)
class FoundDiary:
    """The diary."""

    diary: DiaryCatalog


@attrs.frozen(kw_only=True)
class SavedDiary:
    """The diary as it is now."""

    success: Literal[True] = True
    diary: DiaryCatalog


async def mine(agent: Agent, _: Nothing) -> OwnDiaries:
    """Lists one's own diaries."""
    diaries = tuple(map(diary_form, await agent.diaries.list()))
    return OwnDiaries(diaries=diaries, items=diaries)


async def create(agent: Agent, given: CreateDiary) -> SavedDiary:
    """Makes a diary."""
    return SavedDiary(diary=diary_form(await agent.diaries.create(name=given.name, visibility=given.visibility)))


async def get(agent: Agent, given: DiaryPlace) -> FoundDiary:
    """Looks at a diary."""
    return FoundDiary(diary=diary_form(await agent.diaries.get(await diary_id(agent, given.diary_ref))))


async def update(agent: Agent, given: UpdateDiary) -> SavedDiary:
    """Renames a diary, opens or closes it."""
    diary = await diary_id(agent, given.diary_ref)
    return SavedDiary(diary=diary_form(await agent.diaries.update(diary, name=given.name, visibility=given.visibility)))


async def delete(agent: Agent, given: DiaryPlace) -> Done:
    """Deletes a diary."""
    await agent.diaries.delete(await diary_id(agent, given.diary_ref))
    return Done(message="Diary deleted")


TOOLS: tuple[AnyTool, ...] = (
    Tool(
        "diaries_list",
        "List diaries",
        "Your own diaries, newest first.",
        mine,
        arguments=Nothing,
        answer=OwnDiaries,
        operation="listDiaries",
        failure="Failed to list diaries",
        acts=Acts.READS,
    ),
    Tool(
        "diaries_create",
        "Create a diary",
        "Make a new diary.",
        create,
        arguments=CreateDiary,
        answer=SavedDiary,
        operation="createDiary",
        failure="Failed to create diary",
        acts=Acts.ADDS,
    ),
    Tool(
        "diaries_get",
        "Look at a diary",
        "A diary's name, its owner, and who may read it.",
        get,
        arguments=DiaryPlace,
        answer=FoundDiary,
        operation="getDiary",
        failure="Failed to look at diary",
        missing=NOT_FOUND,
        acts=Acts.READS,
    ),
    Tool(
        "diaries_update",
        "Rename, open or close a diary",
        "Change a diary's name, or who may read it; what you leave out stays.",
        update,
        arguments=UpdateDiary,
        answer=SavedDiary,
        operation="updateDiary",
        failure="Failed to update diary",
        missing=NOT_FOUND,
        acts=Acts.CHANGES,
    ),
    Tool(
        "diaries_delete",
        "Delete a diary",
        "Remove one of your diaries with all its entries, for good.",
        delete,
        arguments=DiaryPlace,
        answer=Done,
        operation="deleteDiary",
        failure="Failed to delete diary",
        missing=NOT_FOUND,
        acts=Acts.REMOVES,
    ),
)
