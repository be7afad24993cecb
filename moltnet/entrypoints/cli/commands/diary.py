"""`moltnet diary …`: the memories in a diary."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from moltnet.domain.digest import DAYS_DEFAULT, ENTRIES_DEFAULT, TOKENS_MAX, TOKENS_MIN
from moltnet.domain.duplicates import IfDuplicate
from moltnet.domain.entries import IMPORTANCE_DEFAULT, IMPORTANCE_MAX, IMPORTANCE_MIN, EntryType, NewEntry
from moltnet.domain.errors import Forbidden, NotFound
from moltnet.domain.ids import EntryId
from moltnet.domain.search import RESULTS_DEFAULT, SearchResult
from moltnet.entrypoints.cli.columns import AGE, MEMORY, TYPE
from moltnet.entrypoints.cli.connection import ConnectionOptions, connection_options, diary_of, diary_with, run_as_agent
from moltnet.entrypoints.cli.forms import Json, as_json, page_json
from moltnet.entrypoints.cli.options import Commands, NotCarriedOut
from moltnet.entrypoints.cli.output import Form, say, show
from moltnet.entrypoints.cli.search_output import result_text
from moltnet.entrypoints.cli.tables import Column, lines, table
from moltnet.entrypoints.cli.values import DATE_TIME, DIARY, ENTRY, comma_separated, only_one, text_or_stdin

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent

COLUMNS = (AGE, TYPE, Column("IMPORTANCE", "importance", no_wrap=True, right=True), MEMORY)

_diary = click.option("--diary-id", type=DIARY, help="Id or name; default MOLTNET_DIARY, else your first diary.")
_diary_of_entry = click.option("--diary-id", type=DIARY, help="Id or name; default the diary that holds it.")
_entry = click.argument("entry_id", type=ENTRY)
_type = click.Choice([each.value for each in EntryType])
_tags = click.option("--tags", help="Tags, separated by commas.")
_share = click.FloatRange(0, 1)
_occurred = click.option("--occurred-at", type=DATE_TIME, help="When it happened, if not now.")


@click.group(cls=Commands)
def diary() -> None:
    """Write, find and change memories."""


@diary.command()
@_diary
@click.option("--content", help="The memory; `-` reads standard input.")
@click.option("--title", help="A short title.")
@_tags
@click.option(
    "--importance",
    type=click.IntRange(IMPORTANCE_MIN, IMPORTANCE_MAX),
    default=IMPORTANCE_DEFAULT,
    show_default=True,
    help="How much it matters; 10 is the most important.",
)
@click.option(
    "--type",
    "entry_type",
    type=_type,
    default=EntryType.SEMANTIC.value,
    show_default=True,
    help="What kind of memory it is.",
)
@_occurred
@click.option(
    "--if-duplicate",
    type=click.Choice([each.value for each in IfDuplicate]),
    default=IfDuplicate.STORE.value,
    show_default=True,
    help="What to do when the diary holds the same text: store it again, or return the entry that is there.",
)
@click.argument("text", required=False)
@connection_options
def create(
    connection: ConnectionOptions,
    diary_id: str | None,
    content: str | None,
    tags: str | None,
    entry_type: str,
    if_duplicate: str,
    text: str | None,
    **members: Any,
) -> None:
    """Store a memory."""
    written = only_one("--content", content, text)
    if written is None:
        raise NotCarriedOut("Say what to remember: as an argument, with --content, or `-` to read standard input")
    memory = text_or_stdin(written)

    async def act(agent: "Agent") -> Json:
        where = await diary_of(connection, agent, diary_id)
        new = NewEntry(
            content=memory,
            tags=comma_separated(tags),
            entry_type=EntryType(entry_type),
            if_duplicate=IfDuplicate(if_duplicate),
            **members,
        )
        return as_json(await agent.diary.keep(where, new))

    show(run_as_agent(connection, act), connection.form, lines)


@diary.command(name="list")
@_diary
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many to show.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="How many to skip.")
@_tags
@click.option("--type", "entry_type", type=_type, help="The kind of memory.")
@connection_options
def list_(
    connection: ConnectionOptions,
    diary_id: str | None,
    limit: int,
    offset: int,
    tags: str | None,
    entry_type: str | None,
) -> None:
    """List memories, newest first."""

    async def act(agent: "Agent") -> Json:
        entries, total = await agent.diary.list(
            await diary_of(connection, agent, diary_id),
            limit=limit,
            offset=offset,
            tags=comma_separated(tags) or (),
            entry_type=EntryType(entry_type) if entry_type else None,
        )
        return page_json(entries, total, limit, offset)

    show(run_as_agent(connection, act), connection.form, _page)


@diary.command()
@_diary_of_entry
@_entry
@connection_options
def get(connection: ConnectionOptions, diary_id: str | None, entry_id: EntryId) -> None:
    """Show one memory."""

    async def act(agent: "Agent") -> Json:
        return as_json(await agent.diary.get(await diary_with(connection, agent, diary_id, entry_id), entry_id))

    show(run_as_agent(connection, act), connection.form, lines)


@diary.command()
@_diary_of_entry
@_entry
@click.option("--content", help="The new text; `-` reads standard input.")
@click.option("--title", help="A short title.")
@_tags
@click.option("--importance", type=click.IntRange(IMPORTANCE_MIN, IMPORTANCE_MAX), help="10 is the most important.")
@click.option("--type", "entry_type", type=_type, help="The kind of memory.")
@click.option("--superseded-by", type=ENTRY, help="The id of the entry that replaces it.")
@_occurred
@connection_options
def update(
    connection: ConnectionOptions, diary_id: str | None, entry_id: EntryId, content: str | None, **members: Any
) -> None:
    """Change a memory; what is left out stays."""
    tags, entry_type = comma_separated(members.pop("tags")), members.pop("entry_type")
    edit = {
        **members,
        "content": None if content is None else text_or_stdin(content),
        "tags": tags,
        "entry_type": EntryType(entry_type) if entry_type else None,
    }

    async def act(agent: "Agent") -> Json:
        where = await diary_with(connection, agent, diary_id, entry_id)
        return as_json(await agent.diary.update(where, entry_id, **edit))

    show(run_as_agent(connection, act), connection.form, lines)


@diary.command()
@_diary_of_entry
@_entry
@connection_options
def delete(connection: ConnectionOptions, diary_id: str | None, entry_id: EntryId) -> None:
    """Delete a memory."""

    async def act(agent: "Agent") -> None:
        await agent.diary.delete(await diary_with(connection, agent, diary_id, entry_id), entry_id)

    run_as_agent(connection, act)
    say("Entry deleted.")


@diary.command()
@click.option("--diary-id", type=DIARY, help="Id or name; default all of yours and all shared with you.")
@click.option("--query", help='What to look for: words, "phrases", -exclusions.')
@click.option(
    "--limit", type=click.IntRange(1, 100), default=RESULTS_DEFAULT, show_default=True, help="How many to show."
)
@_tags
@click.option("--type", "entry_types", type=_type, multiple=True, help="Only this kind; may be named several times.")
@click.option("--exclude-superseded", is_flag=True, help="Leave out what a newer entry replaces.")
@click.option("--w-relevance", type=_share, default=1.0, show_default=True, help="How much a match counts.")
@click.option("--w-recency", type=_share, default=0.0, show_default=True, help="How much being new counts.")
@click.option("--w-importance", type=_share, default=0.0, show_default=True, help="How much importance counts.")
@click.option("--created-after", type=DATE_TIME, help="Only what was written then or later.")
@click.option("--created-before", type=DATE_TIME, help="Only what was written before then.")
@click.option("--occurred-after", type=DATE_TIME, help="Only what happened then or later.")
@click.option("--occurred-before", type=DATE_TIME, help="Only what happened before then.")
@click.option("--only-mine", is_flag=True, help="Only what you wrote yourself and nobody else changed.")
@click.option("--min-score", type=_share, default=0.0, show_default=True, help="Only entries with at least this score.")
@click.option("--explain", is_flag=True, help="Show why each entry was found, and what was left out.")
@click.argument("text", required=False)
@connection_options
def search(  # a search has as many members
    connection: ConnectionOptions,
    query: str | None,
    text: str | None,
    tags: str | None,
    entry_types: tuple[str, ...],
    diary_id: str | None,
    **members: Any,
) -> None:
    """Find memories by meaning and words."""
    asked = only_one("--query", query, text)
    if asked is None:
        raise NotCarriedOut("Say what to look for: as an argument, or with --query")

    async def act(agent: "Agent") -> tuple[Json, dict[str, str]]:
        found = await agent.diary.search(
            asked,
            diary_id=None if diary_id is None else await diary_of(connection, agent, diary_id),
            tags=comma_separated(tags) or (),
            entry_types=tuple(map(EntryType, entry_types)),
            **members,
        )
        names = await _names(agent, found) if connection.form is Form.TEXT else {}
        return as_json(found), names

    shown, names = run_as_agent(connection, act)
    show(shown, connection.form, lambda shown: result_text(shown, names))


@diary.command()
@_diary
@click.option(
    "--days", type=click.IntRange(1, 365), default=DAYS_DEFAULT, show_default=True, help="How many days to look back."
)
@click.option(
    "--max-entries",
    type=click.IntRange(1, 200),
    default=ENTRIES_DEFAULT,
    show_default=True,
    help="How many entries to show at most.",
)
@click.option("--type", "entry_types", type=_type, multiple=True, help="Only this kind; may be named several times.")
@click.option(
    "--max-tokens",
    type=click.IntRange(TOKENS_MIN, TOKENS_MAX),
    help="About how many tokens to show, grouped by type, the most important first.",
)
@connection_options
def reflect(connection: ConnectionOptions, diary_id: str | None, entry_types: tuple[str, ...], **members: Any) -> None:
    """Show the latest memories, to look back on."""

    async def act(agent: "Agent") -> Json:
        shown = await agent.diary.reflect(
            await diary_of(connection, agent, diary_id), entry_types=tuple(map(EntryType, entry_types)), **members
        )
        return as_json(shown)

    show(
        run_as_agent(connection, act),
        connection.form,
        lambda shown: table(shown["entries"], COLUMNS, "Nothing to look back on."),
    )


async def _names(agent: "Agent", found: SearchResult) -> dict[str, str]:
    """The names of the diaries that hits are in, by id: one question, and one more for each that is shared."""
    if not found.hits:
        return {}
    names = {str(each.id): each.name for each in await agent.diaries.list()}
    for diary_id in {hit.entry.diary_id for hit in found.hits}:
        if str(diary_id) not in names:
            with suppress(NotFound, Forbidden):  # taken back meanwhile, or a token that may only search
                names[str(diary_id)] = (await agent.diaries.get(diary_id)).name
    return names


def _page(shown: Json) -> str:
    rendered = table(shown["items"], COLUMNS, "No entries.")
    more = shown["total"] - shown["offset"] - len(shown["items"])
    return f"{rendered}\n… {more} more: --offset {shown['offset'] + len(shown['items'])}" if more > 0 else rendered
