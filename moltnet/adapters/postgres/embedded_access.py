"""Who may enter the embedded database: who knows the password that its data folder keeps.

The password is made once, 256 bits from the system's source, and lies in DIR/postgres.password (0600). The server's own
list of rules, pg_hba.conf, asks for it (SCRAM-SHA-256, RFC 7677). A database of an earlier release, which trusted
anyone who reached its socket, and one that was restored without its password get theirs before their next start.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

import attrs

from moltnet.adapters.postgres.embedded_binaries import Binaries, EmbeddedUnavailable
from moltnet.adapters.postgres.embedded_folder import USER, Folder, working

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
        statement = f"set password_encryption = 'scram-sha-256'; alter role {USER} password '{password}'\n"
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
