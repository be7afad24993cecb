"""Creating the embedded database, starting its server below a keeper, and saying whether it answers.

Who may enter: who knows the password. It is made once, 256 bits from the system's source, and lies in
DIR/postgres.password (0600). The server's own list of rules, pg_hba.conf, asks for it (SCRAM-SHA-256, RFC 7677). A
database of an earlier release, which trusted anyone who reached its socket, and one that was restored without its
password get theirs before their next start.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import attrs
import psycopg

from moltnet.adapters.postgres.embedded_binaries import (
    Binaries,
    EmbeddedUnavailable,
    binaries_for,
    environment,
    installed,
)
from moltnet.adapters.postgres.embedded_folder import DATABASE, PORT, TIMEOUT_S, USER, Address, Folder, working
from moltnet.domain.errors import StorageLost

RULES = "pg_hba.conf"
PASSWORD_BYTES = 32
# A failed statement ends it, with an exit code; and no statement is repeated in what it says.
SINGLE_USER = ("--single", "-c", "exit_on_error=on", "-c", "log_min_error_statement=panic", "-D")


@attrs.frozen
class Access:
    """The password of one database, and the rules that ask for it. Used under the folder's lock `starting`."""

    folder: Folder

    def require_password(self, binaries: Binaries, cluster: Path, alive: int) -> None:
        """Sees to it that the database in `cluster`, which no server runs, asks for the password that is stored.

        Killed at any moment, it is done again: the rules, which name the password's hash, are written last.

        Raises:
            EmbeddedUnavailable: the database does not start, for want of room perhaps.
        """
        password = self._stored_password()
        rules = _rules(password)
        path = cluster / RULES
        if path.read_text(errors="replace") == rules:
            return
        # Nobody guesses 256 bits, so no connection has to compute 4,096 hashes on either side (RFC 7677, section 4).
        settings = "set password_encryption = 'scram-sha-256'; set scram_iterations = 1"
        statement = f"{settings}; alter role {USER} password '{password}'\n"
        done = binaries.run(
            "postgres", [*SINGLE_USER, working(cluster), "postgres"], cwd=cluster, pass_fds=[alive], stdin=statement
        )
        if done.returncode != 0:
            lines = [line for line in done.stderr.split("\n") if "FATAL" in line or "PANIC" in line] or ["no reason"]
            raise EmbeddedUnavailable(f"The embedded database in {cluster} could not get a password: {lines[-1]}")
        self._write(path, rules, binaries.account.uid, binaries.account.gid)

    def _stored_password(self) -> str:
        with suppress(FileNotFoundError):
            if password := self.folder.password.read_text().strip():
                return password
        password = secrets.token_hex(PASSWORD_BYTES)
        self._write(self.folder.password, password + "\n", self.folder.owner.uid, self.folder.owner.gid)
        return password

    def _write(self, path: Path, text: str, uid: int, gid: int) -> None:
        draft = path.with_name(f"{path.name}.new")
        draft.unlink(missing_ok=True)
        # The database's folder is another account's: nothing that lies there is followed.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            if os.geteuid() == 0:
                os.fchown(descriptor, uid, gid)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        draft.rename(path)
        self.folder.sync()


def _rules(password: str) -> str:
    return f"# moltnet {hashlib.sha256(password.encode()).hexdigest()}\nlocal all {USER} scram-sha-256\n"


WATCHDOG = Path(__file__).with_name("embedded_watchdog.py")
CONNECT_TIMEOUT_S = 5
DATABASE_EXISTS = "select from pg_database where datname = %s"  # one row or none
WRONG_PASSWORD = "password authentication failed"  # noqa: S105 - PostgreSQL's words
CREATE_DATABASE = "create database moltnet"
CREATION = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
SETTINGS = (
    "listen_addresses=",
    "unix_socket_directories=.",
    "unix_socket_permissions=0700",
    "max_connections=200",
    "max_wal_size=256MB",  # bounds the folder
    "fsync=on",
    "synchronous_commit=on",
    "autovacuum=on",
    "jit=off",  # compiling costs more than short queries
    "io_method=sync",  # instead of three worker processes
    "max_logical_replication_workers=0",  # and their launcher
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
    "log_error_verbosity=terse",  # the detail of a broken constraint quotes the row, so private text
)


# Of the memory there is, what PostgreSQL may keep of the data, and within which limits. Pages are taken when they are
# first needed. A search of a diary that does not fit takes longer for each entry.
BUFFERS_PART, BUFFERS_LEAST_MB, BUFFERS_MOST_MB = 1 / 16, 128, 1024
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def shared_buffers_mb() -> int:
    """How much of the data PostgreSQL keeps in memory, in MB (2^20 bytes), by the memory of machine or container."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = int(CONTAINER_LIMIT.read_text(encoding="ascii"))
    except (OSError, ValueError):  # there is no container, or it has no limit ("max")
        limit = machine
    return min(max(int(min(machine, limit) * BUFFERS_PART) >> 20, BUFFERS_LEAST_MB), BUFFERS_MOST_MB)


@attrs.frozen
class Server:
    """The server of one data folder. Used under the folder's lock `starting`."""

    folder: Folder
    address: Address

    def ensure(self) -> None:
        """Returns when a server of this folder answers, whichever process started it.

        Raises:
            EmbeddedUnavailable: it cannot be created or started, or does not answer.
        """
        alive = self._wait()
        if alive is None:
            return
        try:
            log_offset = self._launch(alive)
        finally:
            os.close(alive)
        alive = self._wait()
        if alive is not None:
            os.close(alive)
            raise EmbeddedUnavailable(f"The embedded database ended at its start: {self._complaint(log_offset)}")

    def ensure_again(self) -> None:
        """The same for a server that was there before: its database is not created again.

        Raises:
            StorageLost: the database is not there any more.
        """
        if self.folder.is_new:
            raise StorageLost(
                "The embedded database has been removed from its data folder while it was in use: restore it from a "
                "backup, and start the server again"
            )
        self.ensure()

    def _wait(self) -> int | None:
        """Waits for an answer, or for the lock that says that no process of the server lives."""
        deadline = time.monotonic() + TIMEOUT_S
        while not self._answers():
            alive = self.folder.take(self.folder.alive)
            if alive is not None:
                return alive
            self.folder.pause(
                deadline,
                f"The server of {self.folder.cluster} lives but has not answered for {TIMEOUT_S:.0f} seconds: "
                f"see {self.folder.log}",
            )
        return None

    def _answers(self) -> bool:
        """Whether the server takes connections; if so, it has the database `moltnet` afterwards."""
        if not self._claims_to_be_ready():  # spares the log a fatal line for each attempt during the start
            return False
        url = self.address.url("postgres")
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
                if connection.execute(DATABASE_EXISTS, (DATABASE,)).fetchone() is None:
                    connection.execute(CREATE_DATABASE)
        except psycopg.OperationalError as error:
            if WRONG_PASSWORD in str(error):
                raise EmbeddedUnavailable(
                    f"The password in {self.folder.password} does not open the database that is running: stop every "
                    "server of this data folder, and start again"
                ) from None
            return False  # nobody listens on the socket, or it is shutting down after all
        return True

    def _claims_to_be_ready(self) -> bool:
        try:
            return self.folder.pid_file.read_text().split()[-1:] == ["ready"]
        except FileNotFoundError:
            return False

    def _launch(self, alive: int) -> int:
        """Hands the lock `alive` on to the keeper and the server; answers where in the log these begin."""
        binaries = binaries_for(self.folder.account(), installed())
        major = binaries.major()
        if self.folder.is_new:
            self._create(binaries, alive)
        self._require(major)
        self._forget_reused_pids()
        if binaries.account.is_other and self.folder.cluster.stat().st_uid == 0:  # a backup that root copied back
            binaries.account.entrust(self.folder.cluster)
        Access(self.folder).require_password(binaries, self.folder.cluster, alive)
        log = self.folder.open_file(self.folder.log, os.O_WRONLY | os.O_APPEND)
        try:
            log_offset = os.lseek(log, 0, os.SEEK_END)
            self._spawn_watchdog(binaries, alive, log)
        finally:
            os.close(log)
        return log_offset

    def _create(self, binaries: Binaries, alive: int) -> None:
        """In a folder of its own, renamed at the end: a killed creation leaves no half database behind.

        initdb inherits the lock, so one that outlives its starter is waited for, not disturbed.
        """
        binaries.account.require_name()
        draft = self.folder.draft
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        if binaries.account.is_other:
            binaries.account.entrust(draft)
        done = binaries.run("initdb", ["-D", working(draft), *CREATION], cwd=draft, pass_fds=[alive])
        if done.returncode != 0:
            lines = done.stderr.strip().split("\n")
            reason = next((line for line in lines if "error:" in line or "FATAL" in line), lines[0])
            raise EmbeddedUnavailable(f"The embedded database could not be created in {draft}: {reason}")
        Access(self.folder).require_password(binaries, draft, alive)
        draft.rename(self.folder.cluster)
        self.folder.sync()

    def _require(self, major: str) -> None:
        cluster_major = (self.folder.cluster / "PG_VERSION").read_text().strip()
        if cluster_major != major:
            raise EmbeddedUnavailable(
                f"The database in {self.folder.cluster} was made by PostgreSQL {cluster_major}, "
                f"but PostgreSQL {major} is installed: run 'moltnet backup FILE' of the release that made it, and "
                "'moltnet restore FILE --data ANOTHER_FOLDER' of this one"
            )

    def _forget_reused_pids(self) -> None:
        """Removes lock files whose process number now belongs to something else, as after a container's restart.

        PostgreSQL itself clears those of dead processes, but believes any live one. A real server of this folder has
        it as its working folder, and is left for PostgreSQL to refuse.
        """
        for path in (self.folder.pid_file, self.folder.cluster / f".s.PGSQL.{PORT}.lock"):
            try:
                pid = int(path.read_text().split("\n")[0])
                if Path(f"/proc/{pid}/cwd").samefile(self.folder.cluster):
                    continue
            except PermissionError:
                pass  # another user's process
            except (FileNotFoundError, ValueError):
                continue
            path.unlink()

    def _spawn_watchdog(self, binaries: Binaries, alive: int, log: int) -> None:
        cluster, account = self.folder.cluster, binaries.account
        uid, gid = (account.uid, account.gid) if account.is_other else (-1, -1)
        watchdog = (sys.executable, "-I", "-S", WATCHDOG, self.folder.users, self.folder.log, cluster, uid, gid)
        settings = [
            part for setting in (*SETTINGS, f"shared_buffers={shared_buffers_mb()}MB") for part in ("-c", setting)
        ]
        server = (binaries.postgres, "-D", working(cluster), *settings)
        subprocess.run(  # noqa: S603 - our own script and constants; returns at once, the keeper goes on
            [str(part) for part in (*watchdog, *server)],
            cwd="/",
            env=environment(),
            pass_fds=[alive],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=False,
        )

    def _complaint(self, log_offset: int) -> str:
        """The last fatal line of the log since a position, else its last line."""
        with self.folder.log.open(errors="replace") as log:
            log.seek(log_offset if log_offset <= self.folder.log.stat().st_size else 0)  # the keeper may have cut it
            lines = [line.strip() for line in log if line.strip()]
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
        return (fatal or lines or [f"it said nothing in {self.folder.log}"])[-1]
