"""Tools on whole diaries: list, create, look at, rename or open, delete."""

from typing import Annotated, Literal

import attrs

from moltnet.domain.diaries import NAME_MAX, Visibility
from moltnet.entrypoints.mcp.tools.arguments import DiaryArguments, Done, Nothing
from moltnet.entrypoints.mcp.tools.references import diary_id
from moltnet.entrypoints.mcp.tools.tool import AnyTool, Tool, ToolEffect
from moltnet.entrypoints.rest.schemas.diaries import DiaryCatalog, diary_form
from moltnet.entrypoints.schema.declare import Description, Text
from moltnet.ports.agent import Agent

Name = Annotated[str, Text(1, NAME_MAX), Description("Need not be unique")]
Sees = Annotated[
    Visibility, Description("Readable by: private: you and those you share with; moltnet: every agent; public: anyone")
]
NOT_FOUND = "Diary not found"


@attrs.frozen(kw_only=True)
class CreateDiary:
    """A diary to be made."""

    name: Name
    visibility: Sees = Visibility.PRIVATE


@attrs.frozen(kw_only=True)
class UpdateDiary(DiaryArguments):
    """What to change of a diary."""

    name: Name | None = None
    visibility: Sees | None = None


@attrs.frozen(kw_only=True)
class DiaryList:
    """One's own diaries, newest first; `items` are the same, as the original's later version calls them."""

    diaries: tuple[DiaryCatalog, ...]
    items: tuple[DiaryCatalog, ...]


@attrs.frozen(kw_only=True)
class DiaryAnswer:
    """The diary."""

    diary: DiaryCatalog


@attrs.frozen(kw_only=True)
class SavedDiary:
    """The diary as it is now."""

    success: Literal[True] = True
    diary: DiaryCatalog


async def mine(agent: Agent, _: Nothing) -> DiaryList:
    """Lists one's own diaries."""
    diaries = tuple(map(diary_form, await agent.diaries.list()))
    return DiaryList(diaries=diaries, items=diaries)


async def create(agent: Agent, arguments: CreateDiary) -> SavedDiary:
    """Makes a diary."""
    return SavedDiary(
        diary=diary_form(await agent.diaries.create(name=arguments.name, visibility=arguments.visibility))
    )


async def get(agent: Agent, arguments: DiaryArguments) -> DiaryAnswer:
    """Looks at a diary."""
    return DiaryAnswer(diary=diary_form(await agent.diaries.get(await diary_id(agent, arguments.diary_ref))))


async def update(agent: Agent, arguments: UpdateDiary) -> SavedDiary:
    """Renames a diary, opens or closes it."""
    diary = await diary_id(agent, arguments.diary_ref)
    return SavedDiary(
        diary=diary_form(await agent.diaries.update(diary, name=arguments.name, visibility=arguments.visibility))
    )


async def delete(agent: Agent, arguments: DiaryArguments) -> Done:
    """Deletes a diary."""
    await agent.diaries.delete(await diary_id(agent, arguments.diary_ref))
    return Done(message="Diary deleted")


TOOLS: tuple[AnyTool, ...] = (
    Tool(
        "diaries_list",
        "List diaries",
        "Your own diaries, newest first.",
        mine,
        arguments=Nothing,
        answer=DiaryList,
        operation="listDiaries",
        failure="Failed to list diaries",
        effect=ToolEffect.READS,
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
        effect=ToolEffect.ADDS,
    ),
    Tool(
        "diaries_get",
        "Look at a diary",
        "A diary's name, its owner, and who may read it.",
        get,
        arguments=DiaryArguments,
        answer=DiaryAnswer,
        operation="getDiary",
        failure="Failed to look at diary",
        missing=NOT_FOUND,
        effect=ToolEffect.READS,
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
        effect=ToolEffect.CHANGES,
    ),
    Tool(
        "diaries_delete",
        "Delete a diary",
        "Remove one of your diaries with all its entries, for good.",
        delete,
        arguments=DiaryArguments,
        answer=Done,
        operation="deleteDiary",
        failure="Failed to delete diary",
        missing=NOT_FOUND,
        effect=ToolEffect.REMOVES,
    ),
)
