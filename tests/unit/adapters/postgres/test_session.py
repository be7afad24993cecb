"""Time limits of every connection."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from moltnet.adapters.postgres.session import LIMITS, with_limits


@pytest.mark.parametrize("conninfo", ["postgresql://me@db.example/net", "host=db.example user=me dbname=net", ""])
def test_every_connection_has_limits(conninfo: str) -> None:
    assert conninfo_to_dict(with_limits(conninfo)) == {**conninfo_to_dict(conninfo), **conninfo_to_dict(LIMITS)}


def test_what_an_operator_says_of_them_holds() -> None:
    told = "postgresql://me@db.example/net?connect_timeout=30&tcp_user_timeout=0"
    limits = conninfo_to_dict(with_limits(told))
    assert (limits["connect_timeout"], limits["tcp_user_timeout"]) == ("30", "0")
    assert with_limits(with_limits(told)) == with_limits(told)
