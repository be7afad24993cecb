"""A database that is not in UTF8 is refused in one sentence, by whatever meets it first."""

from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from tests.support.commands import SECRETS, run, url_of
from tests.support.postgres import execute, running_server

pytestmark = pytest.mark.real

CREATE = "create database {name} encoding '{encoding}' locale_provider libc locale 'C' template template0"


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_migrate_serve_and_doctor_say_what_to_do(encoding: str, tmp_path: Path) -> None:
    name = f"encoded_{encoding.lower()}"
    await execute(running_server(), CREATE.format(name=name, encoding=encoding))
    options = {"DATABASE_URL": url_of(make_conninfo(running_server(), dbname=name)), **SECRETS}
    sentence = f"The database has the encoding {encoding}, and UTF8 is needed"
    for command in (["migrate"], ["serve", "--port", "0"]):
        assert (await run(*command, "--data", str(tmp_path), **options)).refusal.startswith(sentence)
    found = await run("doctor", "--data", str(tmp_path), **options)
    assert found.status == 1
    assert f"BAD  database   {sentence}" in found.out
