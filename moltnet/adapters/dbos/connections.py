"""Connections of DBOS to the network's database, and its schema there."""

import time
from typing import Any

import attrs
import sqlalchemy as sa
from dbos import DBOS

from moltnet.domain.errors import StorageUnavailable

SCHEMA = "dbos"
# Read for the kind of database alone, where there is an engine beside it.
KIND = "postgresql+psycopg:///moltnet"
# No statement of a workflow runs longer; making the schema may.
STATEMENT_WITHIN_S = 60
DISK_FULL = "53100"  # SQLSTATE disk_full


@attrs.define
class EngineHealth:
    """What this process has met at the database of the workflows. Threads write it, the loop reads it."""

    is_away: bool = False
    _full_at: float = float("-inf")

    def mark_full(self) -> None:
        """A statement failed for want of room."""
        self._full_at = time.monotonic()

    def was_full(self, since: float) -> bool:
        """Whether one has failed so since a time of the monotonic clock."""
        return self._full_at >= since


def engine_of(
    conninfo: str, health: EngineHealth | None = None, *, statement_s: float = STATEMENT_WITHIN_S, **options: object
) -> sa.Engine:
    """Connections to the database of a URL or libpq connection string; a statement has so many seconds, 0 for any.

    How long a server that is cut off is waited for, the string says. `health` is told what they meet.
    """
    arguments = {"application_name": "moltnet workflows"}
    engine = sa.create_engine("postgresql+psycopg://", connect_args=arguments, **options)

    @sa.event.listens_for(engine, "do_connect")
    def as_it_is(_: object, __: object, positional: list[str], ___: object) -> None:
        # No URL is made of it, which would be logged with its password.
        positional[:] = [conninfo]

    @sa.event.listens_for(engine, "connect")
    def limited(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
        connection.cursor().execute(f"set statement_timeout = {round(statement_s * 1000)}")
        connection.commit()

    @sa.event.listens_for(engine, "handle_error")
    def is_away(context: sa.engine.ExceptionContext) -> None:
        # The library knows a failed connection by some of psycopg's words for it, and gives work up over the others.
        if context.connection is None:
            context.is_disconnect = True
        # Over a full disk it tries again in silence, for longer than anybody waits.
        if health is not None and getattr(context.original_exception, "sqlstate", None) == DISK_FULL:
            health.mark_full()

    return engine


def make_schema(conninfo: str) -> None:
    """Makes or completes the schema, by a role that may. It blocks for a moment.

    A launch does so too. Where the role of the servers may not, it is done before.

    Raises:
        StorageUnavailable: the database does not answer, or the role may not.
    """
    engine = engine_of(conninfo, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            url = _url_of(connection)
        DBOS.migrate(url.render_as_string(hide_password=False), schema=SCHEMA)
    except sa.exc.DBAPIError as error:
        raise StorageUnavailable from error


def _url_of(connection: sa.Connection) -> sa.URL:
    """What the connection was made with, but that its statements take their time."""
    # Of psycopg (ConnectionInfo); its parameters are those that differ from their defaults, without the password.
    info: Any = connection.connection.driver_connection.info  # type: ignore[union-attr]  # of an open connection
    query = {"application_name": "moltnet workflows", **info.get_parameters()}
    query |= {"options": f"{query.get('options', '')} -c statement_timeout=0"}
    for name in ("user", "dbname"):
        query.pop(name, None)
    return sa.URL.create(
        "postgresql+psycopg", username=info.user, password=info.password or None, database=info.dbname, query=query
    )
