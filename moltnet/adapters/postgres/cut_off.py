"""Time limits of every connection: a server that is cut off says nothing, and is not waited for."""

from psycopg.conninfo import conninfo_to_dict, make_conninfo

# Within a dozen seconds a connection counts as lost whose server does not even acknowledge what it is sent.
LIMITS = "connect_timeout=4 keepalives_idle=5 keepalives_interval=2 keepalives_count=3 tcp_user_timeout=6000"


def with_limits(conninfo: str) -> str:
    """The connection string with these limits, but for those that it sets itself."""
    return make_conninfo(LIMITS, **conninfo_to_dict(conninfo))
