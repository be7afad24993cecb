"""The shell commands of docs/backup.md, run in their order on a PostgreSQL that was made for them."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from moltnet.adapters.postgres.embedded_binaries import NOBODY, Account, binaries_for, installed
from moltnet.adapters.postgres.migrate import migrate

pytestmark = pytest.mark.real

PAGE = Path(__file__).parents[3] / "docs" / "backup.md"
COPY, ARCHIVING, RECOVERY = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


class Shell:
    """Runs commands as an account that PostgreSQL accepts, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        account = Account(NOBODY, NOBODY) if os.geteuid() == 0 else Account(os.geteuid(), os.getegid())
        self._account = account
        programs = binaries_for(account, installed()).folder
        for name in ("pg", "base", "archive"):
            (folder / name).mkdir(mode=0o700)
        account.entrust(folder)
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PGHOST": str(folder),
            "PGUSER": "moltnet",
            "PGDATABASE": "postgres",
            "PGDATA": str(folder / "pg"),
            "ARCHIVE": str(folder / "archive"),
            "BASE": str(folder / "base"),
            "DATABASE_URL": f"postgresql://moltnet@/postgres?host={folder}",
            "NEW_DATABASE_URL": f"postgresql://moltnet@/another?host={folder}",
        }

    def run(self, script: str, **more: str) -> None:
        """Raises with what was printed when a command fails."""
        other = self._account.is_other
        # Into a file: a server that is started keeps a pipe open.
        with (self.folder / "output").open("w") as output:
            done = subprocess.run(
                ["bash", "-euc", script],
                cwd=self.folder,
                env={**self.environment, **more},
                user=self._account.uid if other else None,
                group=self._account.gid if other else None,
                extra_groups=[] if other else None,
                stdout=output,
                stderr=output,
                check=False,
            )
        assert done.returncode == 0, (self.folder / "output").read_text()

    def ask(self, statement: str, database: str = "postgres") -> str:
        """The one value that a statement answers."""
        url = f"host={self.folder} user=moltnet dbname={database}"
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(statement.encode()).fetchone()
        return str(row and row[0])


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's: another session of it takes the rights on the folders above away again.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def shell(folder: Path) -> Iterator[Shell]:
    shell = Shell(folder)
    shell.run(f"""
        initdb -U moltnet -A trust -E UTF8 --no-sync
        echo "unix_socket_directories = '{folder}'" >> "$PGDATA/postgresql.conf"
        echo "listen_addresses = ''" >> "$PGDATA/postgresql.conf"
        pg_ctl --wait --log="$PGDATA/log" start
        createdb another
    """)
    yield shell
    for data in ("$PGDATA", "$BASE"):
        shell.run(f'pg_ctl --pgdata="{data}" --mode=immediate stop || true')


async def test_commands_of_the_page_lead_to_a_copy_and_to_a_moment(shell: Shell) -> None:
    await migrate(shell.environment["DATABASE_URL"])
    shell.run(COPY)
    assert int(shell.ask("select count(*) from schema_migrations", "another")) > 20
    shell.run('psql --command "create table written (number integer)"')
    shell.ask("insert into written values (1) returning number")
    shell.run(ARCHIVING)
    shell.ask("insert into written values (2) returning number")
    moment = shell.ask("select clock_timestamp()")
    shell.ask("insert into written values (3) returning number")
    shell.ask("select pg_switch_wal()")
    shell.run("pg_ctl --wait --mode=fast stop\n" + RECOVERY, MOMENT=moment)
    assert shell.ask("select string_agg(number::text, ',' order by number) from written") == "1,2"
