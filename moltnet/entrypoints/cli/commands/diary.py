"""`moltnet diary …`: the memories in a diary."""

from contextlib import suppress
from typing import Any

import click

from moltnet.domain.entries import Entry, EntryNotFound, Kept, NewEntry
from moltnet.domain.errors import Forbidden, NotFound
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.search import Search, SearchResult
from moltnet.domain.views import Reflected
from moltnet.entrypoints.cli.connection import (
    ConnectionOptions,
    agent_command,
    connection_options,
    default_diary,
    diary_of,
    run_as_agent,
)
from moltnet.entrypoints.cli.options import Commands, NotCarriedOut
from moltnet.entrypoints.cli.output import say
from moltnet.entrypoints.cli.tables import AGE, MEMORY, Column, Json, search_text, table, table_of
from moltnet.entrypoints.cli.values import DIARY, ID, DiaryRef, input_options, only_one, text_or_stdin
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.operations.entries import CreateEntry, ListOfDiary, UpdateEntry
from moltnet.entrypoints.operations.search import ReflectDiary

COLUMNS = (
    AGE,
    Column("TYPE", "entryType", no_wrap=True),
    Column("IMPORTANCE", "importance", no_wrap=True, right=True),
    MEMORY,
)

_diary_of_entry = click.option("--diary-id", type=DIARY, help="Id or name; default the diary that holds it.")
_entry = click.argument("entry_id", type=ID)


@click.group(cls=Commands)
def diary() -> None:
    """Write, find and change memories."""


@diary.command()
@default_diary
@click.option("--content", help="The memory; `-` reads standard input.")
@input_options(CreateEntry, without=("diary_id", "content"))
@click.argument("text", required=False)
@connection_options
def create(
    connection: ConnectionOptions, diary_id: DiaryRef, content: str | None, text: str | None, **members: Any
) -> None:
    """Store a memory."""
    written = only_one("--content", content, text)
    if written is None:
        raise NotCarriedOut("Say what to remember: as an argument, with --content, or `-` to read standard input")
    memory = text_or_stdin(written)

    async def act(agent: Agent) -> Kept:
        where = await diary_of(connection, agent, diary_id)
        return await agent.diary.keep(where, NewEntry(content=memory, **members))

    connection.show(run_as_agent(connection, act))


def _page(shown: Json) -> str:
    rendered = table(shown["items"], COLUMNS, "No entries.")
    more = shown["total"] - shown["offset"] - len(shown["items"])
    return f"{rendered}\n… {more} more: --offset {shown['offset'] + len(shown['items'])}" if more > 0 else rendered


@diary.command(name="list")
@default_diary
@input_options(ListOfDiary, without=("diary_id",))
@agent_command(_page)
async def list_(agent: Agent, diary_id: DiaryId, limit: int, offset: int, **filters: Any) -> Json:
    """List memories, newest first."""
    entries, total = await agent.diary.list(diary_id, limit=limit, offset=offset, **filters)
    return {"items": entries, "total": total, "limit": limit, "offset": offset}


async def _containing_diary(agent: Agent, named: DiaryId | None, entry_id: EntryId) -> DiaryId:
    """The diary of an entry: the named one, else the one that holds it; raises EntryNotFound."""
    if named is not None:
        return named
    found = await agent.diary.find(entry_id)
    if found is None:
        raise EntryNotFound
    return found.diary_id


@diary.command()
@_diary_of_entry
@_entry
@agent_command()
async def get(agent: Agent, diary_id: DiaryId | None, entry_id: EntryId) -> Entry:
    """Show one memory."""
    return await agent.diary.get(await _containing_diary(agent, diary_id, entry_id), entry_id)


@diary.command()
@_diary_of_entry
@_entry
@click.option("--content", help="The new text; `-` reads standard input.")
@input_options(UpdateEntry, without=("diary_id", "entry_id", "content"))
@agent_command()
async def update(
    agent: Agent, diary_id: DiaryId | None, entry_id: EntryId, content: str | None, **members: Any
) -> Entry:
    """Change a memory; what is left out stays."""
    text = None if content is None else text_or_stdin(content)
    where = await _containing_diary(agent, diary_id, entry_id)
    return await agent.diary.update(where, entry_id, content=text, **members)


@diary.command()
@_diary_of_entry
@_entry
@agent_command()
async def delete(agent: Agent, diary_id: DiaryId | None, entry_id: EntryId) -> None:
    """Delete a memory."""
    await agent.diary.delete(await _containing_diary(agent, diary_id, entry_id), entry_id)
    say("Entry deleted.")


@diary.command()
@click.option("--diary-id", type=DIARY, help="Id or name; default all of yours and all shared with you.")
@click.option("--query", help='What to look for: words, "phrases", -exclusions.')
@input_options(Search, without=("diary_id", "query", "include_shared", "offset"))
@click.argument("text", required=False)
@connection_options
def search(
    connection: ConnectionOptions, diary_id: DiaryRef | None, query: str | None, text: str | None, **members: Any
) -> None:
    """Find memories by meaning and words."""
    asked = only_one("--query", query, text)
    if asked is None:
        raise NotCarriedOut("Say what to look for: as an argument, or with --query")

    async def act(agent: Agent) -> tuple[SearchResult, dict[str, str]]:
        where = None if diary_id is None else await diary_of(connection, agent, diary_id)
        found = await agent.diary.search(asked, diary_id=where, **members)
        return found, await _names(agent, found) if connection.as_text else {}

    found, names = run_as_agent(connection, act)
    connection.show(found, lambda shown: search_text(shown, names))


@diary.command()
@default_diary
@input_options(ReflectDiary, without=("diary_id",))
@agent_command(table_of("entries", COLUMNS, "Nothing to look back on."))
async def reflect(agent: Agent, diary_id: DiaryId, **members: Any) -> Reflected:
    """Show the latest memories, to look back on."""
    return await agent.diary.reflect(diary_id, **members)


async def _names(agent: Agent, found: SearchResult) -> dict[str, str]:
    """The names of the diaries of all hits, by id: one request, and one more for each that is shared."""
    if not found.hits:
        return {}
    names = {str(each.id): each.name for each in await agent.diaries.list()}
    for diary_id in {hit.entry.diary_id for hit in found.hits}:
        if str(diary_id) not in names:
            with suppress(NotFound, Forbidden):  # revoked meanwhile, or a token that may only search
                names[str(diary_id)] = (await agent.diaries.get(diary_id)).name
    return names
