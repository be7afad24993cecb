"""A way to a PostgreSQL server that counts how often the client asks after it was answered: the round trips."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
from psycopg.conninfo import conninfo_to_dict, make_conninfo


@attrs.define
class Turns:
    """How many there were so far, over all connections of an address."""

    address: str
    count: int = 0


@asynccontextmanager
async def counted_turns(conninfo: str) -> AsyncIterator[Turns]:
    """An address that leads to the same server."""
    folder, port = (conninfo_to_dict(conninfo).get(name) for name in ("host", "port"))
    socket = Path(str(folder)) / f".s.PGSQL.{port or 5432}"
    turns = Turns("")

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        its_reader, its_writer = await asyncio.open_unix_connection(str(socket))
        client_asks = False

        async def asked() -> None:
            nonlocal client_asks
            while data := await reader.read(1 << 16):
                turns.count += not client_asks
                client_asks = True
                its_writer.write(data)
            its_writer.close()

        async def answered() -> None:
            nonlocal client_asks
            while data := await its_reader.read(1 << 16):
                client_asks = False
                writer.write(data)
            writer.close()

        await asyncio.gather(asked(), answered(), return_exceptions=True)

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        turns.address = make_conninfo(conninfo, host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        yield turns
