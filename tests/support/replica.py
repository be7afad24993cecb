"""A PostgreSQL server with a streaming replica, both with the programs that the embedded database brings."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import psycopg

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.embedded_binaries import binaries_for, installed
from moltnet.adapters.postgres.embedded_folder import Folder, working

ACCOUNT = "moltnet"
RULES = "pg_hba.conf"


@attrs.frozen
class Pair:
    """The addresses of both, whose folders are `main` and `copy` of one; the replica can be stopped and started."""

    main: str
    replica: str
    folder: Path
    _server: EmbeddedPostgres

    def start(self) -> None:
        """It goes on where it was."""
        self._server.start()

    def stop(self) -> None:
        """Its connections are closed."""
        self._server.stop()

    def ask(self, statement: bytes) -> None:
        """Runs a statement on the replica."""
        with psycopg.connect(self.replica, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def a_pair() -> Iterator[Pair]:
    """Both, without a table, until the context is left."""
    root = Path(tempfile.mkdtemp(prefix="moltnet-pair-"))
    root.chmod(0o711)  # the replica's account goes through it to the other one's socket
    try:
        # Made anew: what is copied of a template has the system identifier of every other one.
        main, copy = root / "main", root / "copy"
        main.mkdir(mode=0o711)
        with EmbeddedPostgres(main) as server, EmbeddedPostgres(_copied(server.start(), main, copy)) as replica:
            main.chmod(0o711)
            yield Pair(server.start(), replica.start(), root, replica)
    finally:
        shutil.rmtree(root)


def _copied(address: str, main: Path, copy: Path) -> Path:
    """A data folder whose server follows the one of `main`, which runs."""
    rules = (main / "postgres" / RULES).read_text()
    with (main / "postgres" / RULES).open("a") as file:
        file.write(f"local replication {ACCOUNT} scram-sha-256\n")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("select pg_reload_conf()")
    copy.mkdir(mode=0o700)
    account = Folder.open(main).account()
    cluster = copy / "postgres"
    cluster.mkdir(mode=0o700)
    if account.is_other:
        account.entrust(cluster)
    password = (main / "postgres.password").read_text().strip()
    from_main = f"host={main / 'postgres'} user={ACCOUNT} password={password}"
    arguments = ["-D", working(cluster), "-R", "-c", "fast", "-X", "stream", "-d", from_main]
    done = binaries_for(account, installed()).run("pg_basebackup", arguments, cwd=cluster)
    assert done.returncode == 0, done.stderr
    (cluster / RULES).write_text(rules)
    shutil.copy(main / "postgres.password", copy)
    return copy
