"""`moltnet migrate`: the schema, brought up to date once."""

import asyncio
from pathlib import Path

import pytest

from moltnet.adapters.postgres.migrate import load_migrations
from tests.support.commands import SECRETS, Ended, run, url_of
from tests.support.postgres import an_empty_database, rows

pytestmark = pytest.mark.real

UP_TO_DATE = "The schema is up to date.\n"


def all_steps() -> str:
    names = [migration.name for migration in load_migrations()]
    return f"{len(names)} steps taken: {', '.join(names)}\n"


async def test_two_at_once_take_each_step_once_and_a_third_takes_none(tmp_path: Path) -> None:
    ended = await asyncio.gather(*(run("migrate", "--data", str(tmp_path)) for _ in range(2)))
    assert sorted(ended, key=lambda each: each.err) == [Ended(0, "", all_steps()), Ended(0, "", UP_TO_DATE)]
    assert await run("migrate", "--data", str(tmp_path)) == Ended(0, "", UP_TO_DATE)


async def test_database_of_ones_own_is_migrated_and_nothing_is_stored_in_the_data_folder(tmp_path: Path) -> None:
    async with an_empty_database() as conninfo:
        environment = {"DATABASE_URL": url_of(conninfo), **SECRETS}
        assert await run("migrate", "--data", str(tmp_path / "data"), **environment) == Ended(0, "", all_steps())
        assert await rows(conninfo, "select count(*) from agent_keys") == [(0,)]
    assert not (tmp_path / "data").exists()
