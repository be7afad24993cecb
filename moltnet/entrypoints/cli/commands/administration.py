"""`moltnet migrate`, `keys`, `ory`: the schema, the signing keys and their secret, and the move into Ory or back."""

import asyncio
import json
import sys
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

import moltnet.entrypoints.operations.agents  # noqa: F401  # the view of an event
from moltnet.domain.errors import MoltNetError
from moltnet.domain.services.relocation import Direction, Moved
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.output import FAILED, announce, error_text, one_sentence, result, say
from moltnet.entrypoints.container.administration import audit_events, relocation, rotate_keys
from moltnet.entrypoints.container.administration import replace_secret as replace
from moltnet.entrypoints.container.databases import migrate_all
from moltnet.entrypoints.schema.convert import json_value
from moltnet.entrypoints.settings import RECOVERY_SECRET, Settings, read_settings

DIRECTIONS = {"import": Direction.OUT, "export": Direction.BACK}


def migrate(data_dir: Path | None) -> None:
    """Migrates the database, and prints the steps."""
    with one_sentence():
        steps = run_command(migrate_all(read_settings(data_dir)))
    say(f"{len(steps)} steps taken: {', '.join(steps)}" if steps else "The schema is up to date.")


def rotate(data_dir: Path | None, *, now: bool) -> None:
    """Makes a new signing key; with `now`, ends every token that was signed with another."""
    with one_sentence():
        kid = asyncio.run(rotate_keys(read_settings(data_dir), leaked=now))
    say(f"New token signing key: {kid}")
    if now:
        say("The other keys are removed. Every server refuses their tokens within 5 seconds; clients fetch new ones.")
    else:
        say("Every server uses it within 10 seconds. Tokens signed before stay good until they expire.")


def replace_secret(data_dir: Path | None, file: Path | None) -> None:
    """Encrypts the signing keys with another secret, and says where it must be set."""
    with one_sentence():
        path = asyncio.run(replace(read_settings(data_dir), file))
    if path is None:
        say(f"The signing keys are sealed with the secret in {file}: set {RECOVERY_SECRET} to it.")
    else:
        say(f"The new {RECOVERY_SECRET} is in {path}.")
    say("Restart every server now: until then it accepts recovery challenges made with the former secret.")


def audit(data_dir: Path | None, since: datetime | None, *, as_json: bool) -> None:
    """Prints the audit log, an event a line: JSON, or what it says in words."""
    with one_sentence():
        run_command(_print_audit(read_settings(data_dir), since and since.replace(tzinfo=UTC), as_json=as_json))


async def _print_audit(settings: Settings, since: datetime | None, *, as_json: bool) -> None:
    async with aclosing(audit_events(settings, since)) as events:
        async for event in events:
            members = json_value(event)
            assert isinstance(members, dict)  # noqa: S101  # by its view
            announce(json.dumps(members) if as_json else " ".join(map(str, members.values())))


def ory(data_dir: Path | None, direction: str, *, dry_run: bool) -> None:
    """Moves every agent and prints the result of each; exit 1 if it broke off, or if rights differ afterwards."""
    with one_sentence():
        moved, broken_off = run_command(_move(read_settings(data_dir), DIRECTIONS[direction], dry_run=dry_run))
    result([_moved_json(each) for each in moved])
    differing = [each for each in moved if each.differences]
    if broken_off:
        say(f"error: {broken_off}; run it again: it goes on where it broke off")
    for each in differing:
        say(f"error: {each.agent.fingerprint}: {'; '.join(each.differences)}")
    sys.exit(FAILED if broken_off or differing else 0)


async def _move(settings: Settings, direction: Direction, *, dry_run: bool) -> tuple[list[Moved], str | None]:
    moved: list[Moved] = []
    async with relocation(settings) as service:
        try:
            with tqdm(desc="moving", unit=" agents", leave=False, disable=None) as bar:
                async for each in service.move(direction, dry_run=dry_run):
                    moved.append(each)  # agents that were moved are printed even if the others cannot be
                    bar.update()
        except MoltNetError as error:
            return moved, error_text(error)
    return moved, None


def _moved_json(moved: Moved) -> dict[str, object]:
    members: dict[str, object] = {
        "identityId": str(moved.agent.id),
        "fingerprint": str(moved.agent.fingerprint),
        "hadClient": moved.has_client,
        "relations": moved.relations,
        "differences": list(moved.differences),
    }
    if moved.secret is not None:
        members |= {"clientId": str(moved.secret.client_id), "clientSecret": moved.secret.secret}
    return members
