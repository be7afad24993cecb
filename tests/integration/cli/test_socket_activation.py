"""`moltnet serve` on a socket that systemd passes on (`deploy/moltnet.socket`)."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.support.postgres import created

pytestmark = pytest.mark.real

# As systemd does it: the socket is descriptor 3, and the process is told so by its own number.
ACTIVATED = 'exec 3<&"$1"; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$2" -m moltnet serve --data "$3"'


async def test_requests_are_accepted_from_a_socket_that_was_listening_before(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = "http://{}:{}".format(*listening.getsockname())
        async with aiohttp.ClientSession() as session:
            early = asyncio.create_task(session.get(f"{url}/health"))  # waits, and is not refused
            server = await asyncio.create_subprocess_exec(
                "sh", "-c", ACTIVATED, "sh", str(listening.fileno()), sys.executable, str(created(tmp_path)),
                pass_fds=[listening.fileno()], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, "PORT": "1"},
            )  # fmt: skip
            try:
                assert server.stdout
                assert await server.stdout.readline() == f"moltnet ready on {url}\n".encode()
                async with await early as answer:
                    assert answer.status == 200
            finally:
                server.terminate()
                assert await server.wait() == 0
