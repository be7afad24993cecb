"""What lies in the data folder of the embedded database, whether intact, foreign, half made, or out of reach."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from moltnet.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedUnavailable
from moltnet.adapters.postgres.embedded_binaries import NOBODY, Account, binaries_for, installed
from moltnet.adapters.postgres.embedded_folder import Address, Folder
from moltnet.adapters.postgres.embedded_watchdog import LOG_MAX_BYTES
from tests.support.postgres import created

IS_ROOT = os.geteuid() == 0


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


@pytest.fixture
def new_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """With a database that was used before."""
    return created(tmp_path / "data")


def test_process_number_taken_by_another_process_does_not_pass_for_a_server(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        postgres.start()
    account = Folder.open(data_dir).account()
    finish_migration = account.uid if account.is_other else None
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, user=finish_migration) as bystander:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            path = data_dir / "postgres" / name
            path.write_text(f"{bystander.pid}\n/elsewhere\n1\n5432\n.\n\n1 1\nready\n")
            os.chown(path, account.uid, account.gid)
        with EmbeddedPostgres(data_dir) as postgres:
            assert ask(postgres.start(), "select 1") == 1
        assert bystander.stdin is not None
        bystander.stdin.close()


def test_creation_that_was_killed_is_begun_again(new_dir: Path) -> None:
    half = new_dir / "postgres.new" / "base"
    half.mkdir(parents=True)
    (half.parent / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(new_dir) as postgres:
        assert ask(postgres.start(), "select 1") == 1
    assert not half.exists()


def test_database_of_another_release_is_refused(new_dir: Path) -> None:
    (new_dir / "postgres").mkdir(parents=True)
    (new_dir / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedUnavailable, match=r"made by PostgreSQL 16, but PostgreSQL 18 is installed"):
        EmbeddedPostgres(new_dir).start()


def test_server_that_ends_at_its_start_is_reported_with_its_last_words(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        postgres.start()
    with (data_dir / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedUnavailable, match=r"ended at its start: .*FATAL:  configuration file"):
        EmbeddedPostgres(data_dir).start()


def test_something_that_is_no_folder_is_refused(new_dir: Path) -> None:
    new_dir.write_text("")
    with pytest.raises(EmbeddedUnavailable, match="File exists"):
        EmbeddedPostgres(new_dir).start()


def test_user_without_a_name_gets_an_error_that_says_so() -> None:
    with pytest.raises(EmbeddedUnavailable, match="a user name for uid 54321"):
        Account(54321, 54321).require_name()


@pytest.mark.skipif(not IS_ROOT, reason="only root's server runs under another account, and so may need a copy")
def test_programs_that_the_account_cannot_reach_are_copied_once(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = closed / installed().name
    package.symlink_to(installed())
    (closed / f"{package.name}.libs").symlink_to(installed().with_name(f"{package.name}.libs"))
    with tempfile.TemporaryDirectory(prefix="moltnet-test-") as name:  # pytest's own folders are closed to others
        copies, account = Path(name), Account(NOBODY, NOBODY)
        first, second = (binaries_for(account, package, copies) for _ in range(2))
        assert first == second
        assert first.folder.is_relative_to(copies)
        assert first.run("initdb", ["--version"], cwd=Path("/")).stdout.startswith("initdb (PostgreSQL)")
        assert len(list(copies.iterdir())) == 1


def test_long_path_is_reached_through_a_short_private_folder(new_dir: Path) -> None:
    far = new_dir / ("long" * 30) / "a,b"
    with EmbeddedPostgres(far) as postgres:
        assert ask(postgres.start(), "select 1") == 1
    address = Address.of(Folder.open(far))
    address.close()
    assert len(os.fsencode(address.folder)) < 85
    assert address.folder.parent.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(address.folder.parent)


def test_short_folder_that_others_may_write_is_not_used(new_dir: Path) -> None:
    address = Address.of(Folder(new_dir / ("long" * 30), Account(os.geteuid(), os.getegid())))
    address.close()
    address.folder.parent.chmod(0o777)
    with pytest.raises(EmbeddedUnavailable, match="is not a private folder of this user"):
        Address.of(Folder(new_dir / ("long" * 30), Account(os.geteuid(), os.getegid())))
    shutil.rmtree(address.folder.parent)


@pytest.mark.skipif(not IS_ROOT, reason="only root can copy a database back under another owner")
def test_database_that_root_copied_back_is_given_to_its_account_again(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        ask(postgres.start(), "create table kept as select 42 as answer")
    Account(0, 0).entrust(data_dir / "postgres")
    with EmbeddedPostgres(data_dir) as postgres:
        assert ask(postgres.start(), "select answer from kept") == 42


def test_long_log_is_cut_and_its_text_stored(new_dir: Path) -> None:
    new_dir.mkdir()
    (new_dir / "postgres.log").write_bytes(b"x" * (LOG_MAX_BYTES + 1))
    with EmbeddedPostgres(new_dir):
        assert "ready to accept connections" in (new_dir / "postgres.log").read_text()
        assert (new_dir / "postgres.log").stat().st_size < LOG_MAX_BYTES
    assert (new_dir / "postgres.log.1").stat().st_size == LOG_MAX_BYTES + 1
