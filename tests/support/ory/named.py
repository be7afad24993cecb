"""The real services that `MOLTNET_TEST_ORY_…` name, and what is missing to run tests against them.

The names are those of the server's settings behind `MOLTNET_TEST_`. Of our own are `MOLTNET_TEST_ORY_HOOKS`, where the
services' hooks reach the tests (`moltnet:8000`, as deploy/ory has it), and `MOLTNET_TEST_ORY_CONTROL`, a command that
takes `kill`, `start`, `pause` or `unpause` and a service's name, as `docker compose` does.
"""

import asyncio
import os
import shlex
import socket
import sys
from collections.abc import Mapping

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout

SERVICES = ("kratos", "hydra", "keto")
SIDES = tuple((service, side) for service in SERVICES for side in ("public", "admin"))
_PREFIX = "MOLTNET_TEST_ORY_"


def _named(name: str) -> str | None:
    return os.environ.get(_PREFIX + name) or None


def addresses() -> dict[tuple[str, str], str]:
    """Where the real services answer, as far as they are named."""
    named = {side: _named(f"{'_'.join(side).upper()}_URL") or _named("PROJECT_URL") for side in SIDES}
    return {side: url.rstrip("/") for side, url in named.items() if url}


def is_real() -> bool:
    """Whether real services are named."""
    return len(addresses()) == len(SIDES)


def api_key() -> str | None:
    """What is sent to them as a bearer token."""
    return _named("API_KEY")


def issuer() -> str:
    """What the real Hydra calls itself."""
    return _named("ISSUER") or "https://auth.example/"


def hooks() -> str:
    """The host and port that the real services' hooks call."""
    return _named("HOOKS") or "moltnet:8000"


def settings() -> dict[str, str]:
    """A server's settings for the real services."""
    named = {f"ORY_{'_'.join(side).upper()}_URL": url for side, url in addresses().items()}
    named |= {"MOLTNET_ORY_ISSUER": issuer(), "ORY_ACTION_API_KEY": "ORY_ACTION_API_KEY"}  # as deploy/ory has it
    return named | ({"ORY_API_KEY": key} if (key := api_key()) else {})


real_alone = pytest.mark.skipif(not is_real(), reason="no real services of Ory are named (make test-ory)")


def has_control() -> bool:
    """Whether the services can be stopped."""
    return _named("CONTROL") is not None


async def control(verb: str, service: str) -> None:
    """Kills, starts, pauses or unpauses a service."""
    process = await asyncio.create_subprocess_exec(*shlex.split(_named("CONTROL") or ""), verb, service)
    assert await process.wait() == 0


async def versions() -> dict[str, str]:
    """What each service says of itself; what is wrong with one that does not answer."""
    found, timeout = {}, ClientTimeout(5)
    async with ClientSession(timeout=timeout, raise_for_status=True) as http:
        for service in SERVICES:
            try:
                async with http.get(f"{addresses()[service, 'admin']}/version") as answer:
                    found[service] = str((await answer.json())["version"])
            except (ClientError, TimeoutError, ValueError, KeyError) as error:
                found[service] = f"does not answer: {error}"
    return found


def missing(found: Mapping[str, str]) -> list[str]:
    """What has to be there before the suites can run: nothing if all is."""
    wrong = [f"{service} {version}" for service, version in found.items() if version.startswith("does")]
    host, _, port = hooks().rpartition(":")
    try:
        with socket.create_server((host, int(port))):
            return wrong
    except OSError as error:
        return [*wrong, f"the services' hooks call http://{hooks()}, where the tests cannot listen: {error}"]


def main() -> int:
    """Tells which services answer, or what is missing."""
    if not is_real():
        unnamed = [f"{_PREFIX}{'_'.join(side).upper()}_URL" for side in SIDES if side not in addresses()]
        sys.stderr.write('No services to test against (docs/ory.md, "Testing"). Not set: ' + ", ".join(unnamed) + "\n")
        return 2
    found = asyncio.run(versions())
    sys.stdout.write("".join(f"{service} {version}\n" for service, version in found.items()))
    wrong = missing(found)
    sys.stderr.write("".join(f"{each}\n" for each in wrong))
    return 2 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
