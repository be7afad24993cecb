"""`moltnet ory`: a network's way into Ory, and back."""

import sys
from pathlib import Path

from tqdm import tqdm

from moltnet.domain.errors import MoltNetError
from moltnet.domain.services.relocation import Direction, Moved
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.output import FAILED, error_text, one_sentence, result, say
from moltnet.entrypoints.container.administration import relocation
from moltnet.entrypoints.settings import Settings, read_settings

DIRECTIONS = {"import": Direction.OUT, "export": Direction.BACK}


def ory(data_dir: Path | None, direction: str, *, dry_run: bool) -> None:
    """Moves every agent and prints what became of each; exit 1 if it broke off, or if rights differ afterwards."""
    with one_sentence():
        moved, broken_off = run_command(_move(read_settings(data_dir), DIRECTIONS[direction], dry_run=dry_run))
    result([_form(each) for each in moved])
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
                    moved.append(each)  # what was moved is told even if the rest cannot be
                    bar.update()
        except MoltNetError as error:
            return moved, error_text(error)
    return moved, None


def _form(moved: Moved) -> dict[str, object]:
    form: dict[str, object] = {
        "identityId": str(moved.agent.id),
        "fingerprint": str(moved.agent.fingerprint),
        "hadClient": moved.has_client,
        "relations": moved.relations,
        "differences": list(moved.differences),
    }
    if moved.secret is not None:
        form |= {"clientId": str(moved.secret.client_id), "clientSecret": moved.secret.secret}
    return form
