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
ACTIVATED = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.executable, [sys.executable, "-m", "moltnet", "serve", "--data", sys.argv[2]])
"""


async def test_requests_are_accepted_from_a_socket_that_was_listening_before(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = "http://{}:{}".format(*listening.getsockname())
        async with aiohttp.ClientSession() as session:
            early = asyncio.create_task(session.get(f"{url}/health"))  # waits, and is not refused
            server = await asyncio.create_subprocess_exec(
                sys.executable, "-c", ACTIVATED, str(listening.fileno()), str(created(tmp_path)),
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
