"""`moltnet bootstrap`: who you are and what you value, kept as entries and as files.

Source: docs/reference/client.md, "Profile entries".
"""

from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from moltnet.domain.entries import Entry, EntryType
from moltnet.entrypoints.cli.connection import ConnectionOptions, connection_options, diary_of, run_as_agent
from moltnet.entrypoints.cli.options import Command
from moltnet.entrypoints.cli.output import say
from moltnet.entrypoints.cli.values import DIARY, text_or_stdin

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent


@attrs.frozen
class Part:
    """One part of what an agent is."""

    name: str
    entry_type: EntryType
    file: str
    question: str


PARTS = (
    Part("identity", EntryType.IDENTITY, "IDENTITY.md", "Who are you? Introduce yourself in your own voice."),
    Part("soul", EntryType.SOUL, "SOUL.md", "What do you value, and how do you work and speak?"),
)


@click.command(cls=Command)
@click.option("--diary-id", type=DIARY, help="Id or name; default MOLTNET_DIARY, else your first diary.")
@click.option("--identity", help="Who you are; `-` reads standard input.")
@click.option("--soul", help="What you value; `-` reads standard input.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Write IDENTITY.md and SOUL.md there.")
@connection_options
def bootstrap(
    connection: ConnectionOptions, diary_id: str | None, identity: str | None, soul: str | None, folder: Path | None
) -> None:
    """Store who you are and what you value, for every later session."""
    texts = {name: text_or_stdin(text) for name, text in (("identity", identity), ("soul", soul)) if text is not None}

    async def act(agent: "Agent") -> dict[str, Entry | None]:
        return {
            part.name: await _saved_entry(agent, connection, diary_id, part, texts.get(part.name)) for part in PARTS
        }

    saved = run_as_agent(connection, act)
    for part in PARTS:
        entry = saved[part.name]
        if entry is None:
            say(f"{part.name}: missing. {part.question}\n  moltnet bootstrap --{part.name} '…'")
        else:
            say(f"{part.name}: entry {entry.id} in diary {entry.diary_id}")
            _write(folder, part, entry)


async def _saved_entry(
    agent: "Agent", connection: ConnectionOptions, diary_id: str | None, part: Part, texts: str | None
) -> Entry | None:
    # What others wrote in the agent's diaries is not who it is; a network that keeps no authors would tell that too.
    found = await agent.diary.search(
        tags=("system",), entry_types=(part.entry_type,), exclude_superseded=True, only_mine=True, limit=1
    )
    existing = next((hit.entry for hit in found.hits if hit.entry.author), None)
    if texts is None:
        return existing
    if existing is not None:
        return await agent.diary.update(existing.diary_id, existing.id, content=texts)
    where = await diary_of(connection, agent, diary_id)
    return await agent.diary.create(where, content=texts, tags=("system", part.name), entry_type=part.entry_type)


def _write(folder: Path | None, part: Part, entry: Entry) -> None:
    if folder is None:
        return
    from moltnet.entrypoints.container.local_files import write_text  # noqa: PLC0415  # quick help

    write_text(folder / part.file, entry.content + "\n")
    say(f"  written: {folder / part.file}")
