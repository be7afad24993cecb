"""What a network on Ory costs beside one without: `python -m bench.ory`, with the ORY_… variables of a server set.

Both serve the same entries; requests alternate in rounds. Of each path the median time of all requests counts, and the
server's CPU time of the cheapest round. The server on Ory listens where the services' hooks call, at `--hooks`.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import aiohttp
import attrs

from bench.paths import ROUNDS, Act, acts_of
from bench.server import Server, cores, cpu_s, founders, running
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.ids import AgentId
from moltnet.domain.permissions import Namespace, Right, Thing
from moltnet.domain.registration import proof_message
from moltnet.entrypoints.container.ory import ory_opened
from moltnet.entrypoints.ory_settings import ORY_SIDES
from moltnet.entrypoints.settings import read_settings

REQUESTS, CALLS, WARM = 10, 400, 20
LEFT_OUT = {"feed", "MCP whoami", "MCP search", "edit"}


@attrs.frozen
class Network:
    """A served network and what is asked of it."""

    server: Server
    folder: Path
    acts: Mapping[str, Act]


async def main() -> None:
    """Prints a line for each path, and the connections to each service."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hooks", default="moltnet:8000", help="where the services call this network")
    hooks = parser.parse_args().hooks
    builtin = {name: text for name, text in os.environ.items() if "ORY_" not in name}
    ory = {**os.environ, "MOLTNET_ALLOWED_HOSTS": hooks.partition(":")[0]}
    with tempfile.TemporaryDirectory(prefix="moltnet-ory-") as made:
        async with AsyncExitStack() as stack:
            networks = [
                await stack.enter_async_context(_served(Path(made) / "builtin", "127.0.0.1:0", builtin)),
                await stack.enter_async_context(_served(Path(made) / "ory", hooks, ory)),
            ]
            print(f"{cores()} cores, shared by everything; built in, and on Ory: ms for a request (ms of server CPU)")
            for name in networks[0].acts:
                (plain_ms, plain_cpu), (ory_ms, ory_cpu) = await _measured(name, networks)
                print(
                    f"  {name:<16}{plain_ms:>8.1f} ({plain_cpu:>5.1f}){ory_ms:>8.1f} ({ory_cpu:>5.1f})"
                    f"{ory_ms / plain_ms:>7.1f} x",
                    flush=True,
                )
            print(f"connections held after that: {_connections(networks[1].server.pid)}")
            await _client_package(Path(made))
            print(f"memory: {networks[0].server.resident_mb():.0f} and {networks[1].server.resident_mb():.0f} MB")


async def _measured(name: str, networks: list[Network]) -> list[tuple[float, float]]:
    """The median time, and the server's least CPU time of all rounds, each in ms for a request, by network."""
    times: list[list[float]] = [[] for _ in networks]
    cpu: list[list[float]] = [[] for _ in networks]
    for number in range(ROUNDS + 1):
        for network, taken, used in zip(networks, times, cpu, strict=True):
            before, _ = cpu_s(network.server, network.folder)
            for at in range(REQUESTS):
                started = time.perf_counter()
                await network.acts[name](number * REQUESTS + at)
                if number:  # the first round warms up
                    taken.append((time.perf_counter() - started) * 1000)
            used.append((cpu_s(network.server, network.folder)[0] - before) * 1000 / REQUESTS)
    return [(statistics.median(taken), min(used)) for taken, used in zip(times, cpu, strict=True)]


@asynccontextmanager
async def _served(folder: Path, address: str, settings: Mapping[str, str]) -> AsyncIterator[Network]:
    host, _, port = address.partition(":")
    with running(folder, "--host", host, "--port", port, settings=settings) as server:
        owner, other = founders(folder, 2, settings=settings)
        headers = {"Authorization": f"Bearer {owner['accessToken']}"}
        async with (
            aiohttp.ClientSession(server.url, headers=headers) as rest,
            aiohttp.ClientSession(server.url) as anonymous,
        ):
            acts = await acts_of(rest, anonymous, other)
            kept = {name: act for name, act in acts.items() if name not in LEFT_OUT}
            yield Network(server, folder, kept | _credentials(rest, anonymous, other))


def _credentials(
    rest: aiohttp.ClientSession, anonymous: aiohttp.ClientSession, other: Mapping[str, str]
) -> dict[str, Act]:
    async def token(_: int) -> None:
        form = {"grant_type": "client_credentials", "client_id": other["clientId"]}
        form["client_secret"] = other["clientSecret"]
        async with anonymous.post("/oauth2/token", data=form, raise_for_status=True) as answer:
            await answer.read()

    async def register(_: int) -> None:
        async with rest.post("/vouch", raise_for_status=True) as answer:
            code = (await answer.json())["code"]
        key = NaclKeyPair.generate()
        body = {"public_key": key.public_key.text, "voucher_code": code}
        body["proof"] = key.sign(proof_message(key.public_key, code))
        async with anonymous.post("/auth/register", json=body, raise_for_status=True) as answer:
            await answer.read()

    return {"token": token, "vouch, register": register}


async def _client_package(folder: Path) -> None:
    """Prints what a question to Keto takes by Ory's package in a thread, and by aiohttp without it."""
    settings = read_settings(folder, dict(os.environ)).ory
    assert settings is not None
    question = {"namespace": "Diary", "object": str(UUID(int=0)), "relation": "read", "subject_id": str(UUID(int=0))}
    taken: dict[str, list[float]] = {"package": [], "aiohttp": []}
    cpu = dict.fromkeys(taken, 0.0)
    with ory_opened(settings) as ory:
        async with aiohttp.ClientSession(settings.keto_public.rstrip("/")) as http:
            store = ory.relation_store()

            async def by_package() -> None:
                await store.permitted(Thing(Namespace.DIARY, UUID(int=0)), [Right.READ], AgentId(UUID(int=0)))

            async def by_aiohttp() -> None:
                async with http.post("/relation-tuples/batch/check", json={"tuples": [question]}) as answer:
                    assert (await answer.json())["results"] == [{"allowed": False}]

            for number in range(CALLS):
                for name, act in (("package", by_package), ("aiohttp", by_aiohttp)):
                    started, used = time.perf_counter(), time.process_time()
                    await act()
                    if number >= WARM:
                        taken[name].append((time.perf_counter() - started) * 1000)
                        cpu[name] += (time.process_time() - used) * 1000 / (CALLS - WARM)
    package, plain = (statistics.median(each) for each in taken.values())
    print(
        f"a question to Keto: {package:.2f} ms by ory-client in a thread ({cpu['package']:.2f} of CPU), "
        f"{plain:.2f} by aiohttp ({cpu['aiohttp']:.2f}), {package / plain:.1f} x"
    )


def _connections(pid: int) -> str:
    """How many connections of a process stand to each address of Ory."""
    listed = subprocess.run(["ss", "-tnpH", "state", "established"], check=True, capture_output=True, text=True).stdout
    peers = [line.split()[3] for line in listed.splitlines() if f"pid={pid}," in line]
    ports = {name: os.environ.get(variable, "").rpartition(":")[2].rstrip("/") for name, variable in ORY_SIDES.items()}
    return ", ".join(f"{name} {sum(peer.endswith(f':{port}') for peer in peers)}" for name, port in ports.items())


if __name__ == "__main__":
    asyncio.run(main())
