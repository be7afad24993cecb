"""`moltnet model`: the embedding model of a network, and the migration to another one."""

import asyncio
import math
import time
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from moltnet.domain.indexing import ModelMigrationProgress, ModelReference
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.logs import log_to_stderr
from moltnet.entrypoints.cli.output import one_sentence, result, say
from moltnet.entrypoints.cli.tables import Column, table
from moltnet.entrypoints.container.models import ModelAdministration, ModelInfo, open_model_administration
from moltnet.entrypoints.settings import read_settings

POLL_INTERVAL_S = 0.5
_MARKS = {"serving": "* ", "target": "> "}
COLUMNS = (
    Column("MODEL", lambda row: f"{_MARKS.get(str(row['role']), '')}{row['name']}"),
    Column("ENTRIES", "entries", no_wrap=True, right=True),
    Column("PASSAGES", "passages", no_wrap=True, right=True),
    Column("WHERE", "where"),
)


def list_models(data_dir: Path | None, *, as_json: bool) -> None:
    """Prints the models that are used, can be used, or have left vectors."""

    async def all_models() -> list[ModelInfo]:
        async with open_model_administration(read_settings(data_dir)) as administration:
            return await administration.all_models()

    with one_sentence():
        models = run_command(all_models())
    if as_json:
        result([_as_json(model) for model in models])
    else:
        _print_table(models)


def use(data_dir: Path | None, name: str, *, wait: bool) -> None:
    """Starts a migration, and with `wait` takes part in it until its end."""
    log_to_stderr()
    with one_sentence():
        run_command(_use(data_dir, name, wait=wait))


def status(data_dir: Path | None, *, wait: bool, as_json: bool) -> None:
    """Prints the progress of the migration; with `wait`, at its end."""
    log_to_stderr()
    with one_sentence():
        progress = run_command(_status(data_dir, wait=wait))
    if as_json:
        result(_progress_as_json(progress))
    else:
        click.echo(_progress_text(progress))


async def _use(data_dir: Path | None, name: str, *, wait: bool) -> None:
    async with open_model_administration(read_settings(data_dir)) as administration:
        reference = await administration.meant(name)
        state = await administration.model_migration.use(reference)
        if state.target is None:
            say(f"{reference.name} serves this network.")
        else:
            say(f"Switching to {reference.name}. Until every entry is embedded by it, {_name(state.serving)} serves.")
            if not wait:
                say("A running server does the work; `moltnet model status` shows the progress.")
        if wait:
            click.echo(_progress_text(await _wait_for_migration(administration)))


async def _status(data_dir: Path | None, *, wait: bool) -> ModelMigrationProgress:
    async with open_model_administration(read_settings(data_dir)) as administration:
        return await _wait_for_migration(administration) if wait else await administration.model_migration.progress()


async def _wait_for_migration(administration: ModelAdministration) -> ModelMigrationProgress:
    """Takes part in the work until it is done, or waits while a server does it."""
    counted = -math.inf
    with tqdm(unit=" entries", leave=False, disable=None) as bar:
        while True:
            busy = await administration.reembedding.run()
            if busy and time.monotonic() - counted < POLL_INTERVAL_S:  # the progress counts every entry
                continue
            progress = await administration.model_migration.progress()
            counted = time.monotonic()
            bar.total = progress.total
            bar.set_description(_name(progress.state.target or progress.state.serving), refresh=False)
            bar.update(progress.done - bar.n)
            if busy:
                continue
            if progress.complete or progress.state.serving is None:
                return progress
            await asyncio.sleep(POLL_INTERVAL_S)


def _print_table(models: list[ModelInfo]) -> None:
    click.echo(table([_as_json(model) for model in models], COLUMNS, "No models."))
    click.echo("* serves; > is being switched to")


def _progress_text(progress: ModelMigrationProgress) -> str:
    state = progress.state
    if state.serving is None:
        return "No model serves this network yet: its first server brings one."
    if state.target is None and progress.done == progress.total:
        return f"{state.serving.name} serves; all {progress.total} entries are embedded."
    share = progress.done / progress.total if progress.total else 1.0
    embedded = f"{progress.done} of {progress.total} entries are embedded ({share:.0%})"
    if state.target is None:
        return f"{state.serving.name} serves; {embedded}."
    return f"{state.serving.name} serves. Switching to {state.target.name}: {embedded}."


def _name(reference: ModelReference | None) -> str:
    return reference.name if reference else "none"


def _as_json(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": model.name,
        "role": model.role,
        "where": model.where,
        "entries": model.entries,
        "passages": model.passages,
    }


def _progress_as_json(progress: ModelMigrationProgress) -> dict[str, Any]:
    state = progress.state
    return {
        "serving": state.serving and state.serving.name,
        "target": state.target and state.target.name,
        "done": progress.done,
        "total": progress.total,
        "complete": progress.complete,
    }
