"""The base package alone is enough for an agent of a remote network."""

import asyncio
import sys

from tests.support.worlds import Served


async def test_an_agent_works_without_the_servers_libraries(network: Served) -> None:
    identity = (await network.network.genesis()).identity
    assert identity
    secret = identity.credentials
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.alone", network.url, str(secret.client_id), secret.secret),
        env={"MOLTNET_PRIVATE_KEY": identity.private_key, "PYTHONPATH": ":".join(sys.path)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
