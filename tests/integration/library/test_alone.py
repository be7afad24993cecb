"""The base package alone is enough for an agent of a remote network, and one extra for a network in memory."""

import asyncio
import sys

from tests.support.worlds import Served


async def test_an_agent_works_without_the_servers_libraries(network: Served) -> None:
    identity = (await network.network.genesis()).identity
    assert identity
    secret = identity.credentials
    secret_key = {"MOLTNET_PRIVATE_KEY": identity.private_key}
    assert await alone(network.url, str(secret.client_id), secret.secret, env=secret_key) == (0, "")


async def test_a_network_in_memory_needs_neither_a_database_nor_a_model() -> None:
    assert await alone(env={}) == (0, "")


async def alone(*words: str, env: dict[str, str]) -> tuple[int | None, str]:
    """The status and the errors of a program for which the packages of extras are not installed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.alone", *words),
        env={**env, "PYTHONPATH": ":".join(sys.path)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    return process.returncode, errors.decode()
