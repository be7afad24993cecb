"""The embedded database opens for its password alone, also one that an earlier release made."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from moltnet.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedUnavailable
from tests.integration.durability.test_embedded import DatabaseUser, ask
from tests.support.postgres import created

TRUST = "local all all trust\n"


@pytest.fixture
def new_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """With a database that was used before."""
    return created(tmp_path / "data")


def without_password(url: str) -> str:
    return make_conninfo("", **{name: value for name, value in conninfo_to_dict(url).items() if name != "password"})


def kept_by_an_earlier_release(data_dir: Path) -> None:
    """The folder as it was when whoever reached the socket was trusted."""
    with EmbeddedPostgres(data_dir) as postgres:
        ask(postgres.start(), "create table kept as select 42 as answer")
        ask(postgres.start(), "alter role moltnet password null")
    (data_dir / "postgres.password").unlink()
    (data_dir / "postgres" / "pg_hba.conf").write_text(TRUST)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database that runs, without its password."""
    with EmbeddedPostgres(created(tmp_path_factory.mktemp("running"))) as postgres:
        yield without_password(postgres.start())


@pytest.mark.parametrize("database", ["moltnet", "postgres"])
@pytest.mark.parametrize("password", [None, "", "moltnet"])
def test_reaching_the_socket_is_not_enough(running: str, database: str, password: str | None) -> None:
    given = {} if password is None else {"password": password}
    with pytest.raises(psycopg.OperationalError, match="password"):
        ask(make_conninfo(running, dbname=database, **given), "select 1")


def test_no_other_role_and_no_network_is_let_in(new_dir: Path) -> None:
    with EmbeddedPostgres(new_dir) as postgres:
        rules = ask(
            postgres.start(), "select string_agg(concat(type, user_name, auth_method), ' ') from pg_hba_file_rules"
        )
    assert rules == "local{moltnet}scram-sha-256"


def test_password_is_stored_for_the_owner_alone_and_stays_the_same(new_dir: Path) -> None:
    with EmbeddedPostgres(new_dir) as postgres:
        first = postgres.start()
    with EmbeddedPostgres(new_dir) as postgres:
        assert postgres.start() == first
        assert str(ask(first, "select rolpassword from pg_authid where rolcanlogin")).startswith("SCRAM-SHA-256$1:")
    kept = new_dir / "postgres.password"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.stat().st_uid == os.geteuid()
    assert len(kept.read_text().strip()) == 64


def test_database_of_an_earlier_release_gets_a_password_and_keeps_its_rows(data_dir: Path) -> None:
    kept_by_an_earlier_release(data_dir)
    with EmbeddedPostgres(data_dir) as postgres:
        url = postgres.start()
        assert ask(url, "select answer from kept") == 42
        with pytest.raises(psycopg.OperationalError, match="password"):
            ask(without_password(url), "select 1")


@pytest.mark.parametrize("lost", ["removed", "another"])
def test_database_restored_without_its_password_gets_a_new_one(data_dir: Path, lost: str) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        ask(postgres.start(), "create table kept as select 42 as answer")
    if lost == "removed":
        (data_dir / "postgres.password").unlink()
    else:
        (data_dir / "postgres.password").write_text("of another database\n".replace(" ", ""))
    with EmbeddedPostgres(data_dir) as postgres:
        assert ask(postgres.start(), "select answer from kept") == 42


def test_processes_that_share_a_folder_share_its_password(data_dir: Path) -> None:
    kept_by_an_earlier_release(data_dir)
    guests = [DatabaseUser(data_dir) for _ in range(4)]
    try:
        urls = {guest.said() for guest in guests}
    finally:
        for guest in guests:
            guest.kill()
    assert len(urls) == 1


def test_lost_password_of_a_running_database_is_one_sentence(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as running:
        running.start()
        (data_dir / "postgres.password").unlink()
        with pytest.raises(EmbeddedUnavailable, match="does not open the database that is running"):
            EmbeddedPostgres(data_dir).start()


def test_password_of_the_callers_environment_does_not_matter(data_dir: Path) -> None:
    program = f"import os; os.environ['PGPASSWORD'] = 'wrong'\n{ASKING}"
    with DatabaseUser(data_dir, program, sys.executable) as guest:
        assert guest.said() == "1"


ASKING = """
import sys, psycopg
from pathlib import Path
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as postgres:
    print(psycopg.connect(postgres.start()).execute("select 1").fetchone()[0], flush=True)
"""
