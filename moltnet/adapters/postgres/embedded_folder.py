"""The data folder of an operator as the embedded database uses it: its paths, its locks, and the way to its socket.

    DIR/postgres            the database and its socket, mode 0700, owned by the account that runs the server
    DIR/postgres.new        a database being created; renamed when complete
    DIR/postgres.password   what opens the database (mode 0600); see `embedded_server.py`
    DIR/postgres.log(.1)    what the server says
    DIR/postgres.starting   locked by one process while it starts or leaves the server
    DIR/postgres.users      locked together by all who use the server; alone by the keeper when nobody is left
    DIR/postgres.alive      locked by the creation, the keeper and every process of the server: free means none lives

The locks are `flock`s: they end with their processes, however these end, and are never mistaken for another process.
"""

import fcntl
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import attrs

from moltnet.adapters.postgres.embedded_binaries import NOBODY, Account, EmbeddedUnavailable

TIMEOUT_S = 60.0
POLL_S = 0.01
USER = "moltnet"
DATABASE = "moltnet"
PORT = 5432  # names the socket file, nothing listens on the network
WORKING_FOLDER = "/proc/self/cwd"
LONGEST_ADDRESS = 85  # with "/.s.PGSQL.5432" below 100 bytes; sun_path holds 108 on Linux, 104 on macOS


@attrs.frozen
class Folder:
    """DIR, which exists and belongs to the caller, unless the caller is root."""

    path: Path
    owner: Account
    # Set by anyone who does not want to wait any longer for locks and answers.
    cancelled: threading.Event = attrs.field(factory=threading.Event, eq=False)

    @classmethod
    def open(cls, path: Path) -> "Folder":
        """Creates DIR with mode 0700 if it is missing.

        Raises:
            EmbeddedUnavailable: it belongs to somebody else.
        """
        path = path.absolute()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = path.stat()
        if os.geteuid() not in (0, state.st_uid):
            raise EmbeddedUnavailable(
                f"The data folder {path} belongs to another user (uid {state.st_uid}): "
                "run as that user, or choose another folder with --data"
            )
        return cls(path, Account(state.st_uid, state.st_gid))

    @property
    def cluster(self) -> Path:
        """The database, once it is complete."""
        return self.path / "postgres"

    @property
    def pid_file(self) -> Path:
        """What the server writes about itself: process, socket, state."""
        return self.cluster / "postmaster.pid"

    @property
    def draft(self) -> Path:
        """The database while it is being created."""
        return self.path / "postgres.new"

    @property
    def password(self) -> Path:
        """What opens the database."""
        return self.path / "postgres.password"

    @property
    def log(self) -> Path:
        """What keeper and server say."""
        return self.path / "postgres.log"

    @property
    def starting(self) -> Path:
        """Locked while one process joins or leaves."""
        return self.path / "postgres.starting"

    @property
    def users(self) -> Path:
        """Locked by users together, or by the keeper alone."""
        return self.path / "postgres.users"

    @property
    def alive(self) -> Path:
        """Locked while any process of the server lives."""
        return self.path / "postgres.alive"

    @property
    def is_new(self) -> bool:
        """Whether there is no database yet."""
        return not (self.cluster / "PG_VERSION").exists()

    def account(self) -> Account:
        """Whose the database is: the caller's; for root that of its present owner, of DIR's, or 65534."""
        if os.geteuid() != 0:
            return Account(os.geteuid(), os.getegid())
        present = [self.cluster.stat()] if self.cluster.exists() else []
        owners = [*(Account(state.st_uid, state.st_gid) for state in present), self.owner]
        return next((owner for owner in owners if owner.uid != 0), Account(NOBODY, NOBODY))

    def open_file(self, path: Path, flags: int = os.O_RDWR) -> int:
        """Opens a file of DIR for DIR's owner, creating it with mode 0600."""
        descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:  # else a `sudo moltnet doctor` would lock the owner out
            os.fchown(descriptor, self.owner.uid, self.owner.gid)
        return descriptor

    def take(self, path: Path, operation: int = fcntl.LOCK_EX) -> int | None:
        """A new descriptor that holds the lock until it and its copies are closed; None if others hold it now."""
        descriptor = self.open_file(path)
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def lock(self, path: Path, operation: int) -> int:
        """As `take`, but waits.

        Raises:
            EmbeddedUnavailable: others held it for a minute.
        """
        deadline = time.monotonic() + TIMEOUT_S
        while (descriptor := self.take(path, operation)) is None:
            self.pause(
                deadline,
                f"Another process has been starting or stopping the database in {self.path} for {TIMEOUT_S:.0f} "
                f"seconds: see {self.log}",
            )
        return descriptor

    def pause(self, deadline: float, otherwise: str) -> None:
        """Lets a moment pass between two attempts; after the deadline, or when given up, raises EmbeddedUnavailable."""
        if time.monotonic() > deadline or self.cancelled.wait(POLL_S):
            raise EmbeddedUnavailable(otherwise)

    def sync(self) -> None:
        """Makes names created in DIR survive a power cut."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def locked(self, path: Path) -> Iterator[None]:
        """Holds a lock alone for the length of a `with`; raises as `lock` does."""
        descriptor = self.lock(path, fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)


@attrs.frozen
class Address:
    """A short way to the socket folder, kept open until closed."""

    folder: Path
    hold: int | None
    password: Path

    @classmethod
    def of(cls, folder: Folder) -> "Address":
        """The database folder itself, or a link to it in a short private folder when the path is too long.

        Raises:
            EmbeddedUnavailable: somebody else made that private folder.
        """
        cluster, password = folder.cluster, folder.password
        text = os.fsencode(cluster)
        if len(text) <= LONGEST_ADDRESS and b"," not in text:  # libpq reads a comma as a list of hosts
            return cls(cluster, None, password)
        name = f"moltnet-{os.geteuid()}-{hashlib.sha256(text).hexdigest()[:16]}"
        private = Path(min(tempfile.gettempdir(), "/tmp", key=len)) / name  # noqa: S108 - checked in _private
        hold = _private(private)
        with suppress(FileExistsError):  # made by another process: the folder's name follows from the target
            os.symlink(cluster, "db", dir_fd=hold)
        return cls(private / "db", hold, password)

    def url(self, database: str = DATABASE) -> str:
        """A connection string that says all, so that no PG* variable of the caller redirects it. It is a secret."""
        try:
            password = self.password.read_text().strip()
        except FileNotFoundError:
            password = "none"  # noqa: S105 - the server tells that it is wrong
        return f"postgresql://{USER}:{password}@/{database}?host={quote(str(self.folder), safe='')}&port={PORT}"

    def close(self) -> None:
        """Lets the short folder go; the address may end with it."""
        if self.hold is not None:
            os.close(self.hold)


def _private(folder: Path) -> int:
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    state = os.fstat(descriptor)
    if state.st_uid != os.geteuid() or state.st_mode & 0o077:
        os.close(descriptor)
        raise EmbeddedUnavailable(
            f"{folder} is not a private folder of this user: remove it, or choose a shorter data folder with --data"
        )
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # systemd-tmpfiles leaves locked folders alone, however old
    return descriptor


def working(folder: Path) -> str:
    """The name by which a process reaches its own working folder, without any right on the folders above."""
    return WORKING_FOLDER if Path(WORKING_FOLDER).exists() else str(folder)
