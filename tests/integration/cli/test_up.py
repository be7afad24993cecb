"""`moltnet up`: the first agent of an empty network, once, and commands that work as they are printed."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from moltnet.adapters.nacl import NaclKeyPair
from tests.support.commands import SECRETS, a_program, agents_in, heard, inside, text_of, url_of
from tests.support.live_server import asked
from tests.support.postgres import an_empty_database, created

pytestmark = pytest.mark.real

README = Path(__file__).parents[3] / "README.md"
FILES = ("moltnet.json", "mcp.json")


@attrs.frozen
class FirstStart:
    """What was there after `up` on an empty folder, and what commands printed while it ran."""

    data: Path
    url: str
    said: str
    printed_commands: list[Any]
    readme_commands: list[Any]


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> FirstStart:
    return asyncio.run(_start_first(tmp_path_factory.mktemp("up")))


async def _start_first(folder: Path) -> FirstStart:
    data, log = folder / "it's mine", folder / "log"
    async with heard("up", "--data", str(data), log=log) as server:
        said = text_of(log)
        printed = [line.strip() for line in said.partition("\nNext, ")[2].splitlines() if line.startswith("  ")]
        readme = list(_readme_commands())
        program = a_program(folder)
        return FirstStart(
            data, server.url, said, await _shell(printed, program, data), await _shell(readme, program, data)
        )


def test_first_agent_is_written_for_its_owner_alone(first_start: FirstStart) -> None:
    folder = first_start.data / "first-agent"
    modes = {place.name: place.stat().st_mode & 0o777 for place in (first_start.data, folder, *folder.iterdir())}
    assert modes == {first_start.data.name: 0o700, folder.name: 0o700, **dict.fromkeys(FILES, 0o600)}


def test_credentials_are_those_of_the_contract(first_start: FirstStart) -> None:
    credentials, mcp = (json.loads(text_of(first_start.data / "first-agent" / name)) for name in FILES[:2])
    assert set(credentials) == {"identity_id", "oauth2", "keys", "endpoints", "registered_at"}
    assert credentials["endpoints"] == {"api": first_start.url, "mcp": f"{first_start.url}/mcp"}
    keys = credentials["keys"]
    assert NaclKeyPair(base64.b64decode(keys["private_key"])).public_key.text == keys["public_key"]
    assert mcp == {
        "mcpServers": {
            "moltnet": {
                "type": "http",
                "url": f"{first_start.url}/mcp",
                "headers": {
                    "X-Client-Id": credentials["oauth2"]["client_id"],
                    "X-Client-Secret": credentials["oauth2"]["client_secret"],
                },
            }
        }
    }


def test_printed_commands_work_as_they_are(first_start: FirstStart) -> None:
    whoami, entry, voucher = first_start.printed_commands
    credentials = json.loads(text_of(first_start.data / "first-agent" / "moltnet.json"))
    assert whoami["identityId"] == credentials["identity_id"]
    assert entry["content"] == "A memory that outlives this terminal"
    assert voucher["issuedBy"] == whoami["fingerprint"] == credentials["keys"]["fingerprint"]


def test_commands_of_the_readme_work(first_start: FirstStart) -> None:
    whoami, entry, found, voucher, signed = first_start.readme_commands
    assert set(whoami) == {"identityId", "publicKey", "fingerprint", "clientId", "proven"}
    assert set(voucher) == {"code", "expiresAt", "issuedBy"}
    assert found["results"][0]["id"] == entry["id"]
    assert found["results"][0]["content"].startswith("The deploy failed")
    assert signed["valid"]


def test_what_is_said_shows_no_secret(first_start: FirstStart) -> None:
    credentials = json.loads(text_of(first_start.data / "first-agent" / "moltnet.json"))
    assert first_start.url in first_start.said
    for secret in (credentials["oauth2"]["client_secret"], credentials["keys"]["private_key"]):
        assert secret not in first_start.said


async def test_second_start_makes_no_second_agent(first_start: FirstStart, tmp_path: Path) -> None:
    before = [text_of(first_start.data / "first-agent" / name) for name in FILES]
    async with (
        heard("up", "--data", str(first_start.data), log=tmp_path / "log") as server,
        server.session() as session,
    ):
        assert (await asked(session, "GET", "/health"))[0] == 200
    said = text_of(tmp_path / "log")
    assert "A new network" not in said
    assert str(first_start.data / "first-agent" / "moltnet.json") in said
    assert said.endswith("moltnet stopped\n")
    assert [text_of(first_start.data / "first-agent" / name) for name in FILES] == before
    assert await agents_in(first_start.data) == 1


async def test_two_that_start_at_once_make_one_agent(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"

    async def start(*options: str) -> None:
        async with heard("up", "--data", str(data), *options, log=log):
            pass

    await asyncio.gather(start(), start("--workers", "2"))
    assert text_of(log).count("A new network. Its first agent is yours.") == 1
    assert text_of(log).count("moltnet stopped") == 2
    assert await agents_in(data) == 1
    credentials, mcp = (json.loads(text_of(data / "first-agent" / name)) for name in FILES[:2])
    assert credentials["oauth2"]["client_id"] == mcp["mcpServers"]["moltnet"]["headers"]["X-Client-Id"]


async def test_database_of_ones_own_needs_no_data_folder_before(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    async with an_empty_database() as conninfo:
        environment = {"DATABASE_URL": url_of(conninfo), "MOLTNET_PUBLIC_URL": "https://net.example.org/", **SECRETS}
        async with heard("up", "--data", str(data), log=tmp_path / "log", **environment):
            pass
    assert json.loads(text_of(data / "first-agent" / "moltnet.json"))["endpoints"] == {
        "api": "https://net.example.org",
        "mcp": "https://net.example.org/mcp",
    }
    assert inside(data) == ["first-agent"]
    assert data.stat().st_mode & 0o777 == 0o700


def _readme_commands() -> Iterator[str]:
    """The lines behind a prompt, with those that continue them."""
    lines = iter(text_of(README).splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line.removeprefix("$ ")
            while command.endswith("\\"):
                command += f"\n{next(lines)}"
            yield command


async def _shell(commands: list[str], program: Path, data: Path) -> list[Any]:
    """What the commands print, one after the other in one shell that knows this version of `moltnet`."""
    shell = await asyncio.create_subprocess_exec(
        *("sh", "-euc", "\necho ,\n".join(commands)),
        env={"PATH": f"{program.parent}:/usr/bin:/bin", "HOME": str(program.parent), "MOLTNET_DATA": str(data)},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await shell.communicate()
    assert shell.returncode == 0
    return [json.loads(part) for part in f"\n{printed.decode()}".split("\n,\n") if part.strip()]


@pytest.mark.parametrize(("host", "name"), [("127.0.0.2", "127.0.0.2"), ("::1", "[::1]")])
async def test_everything_that_is_written_and_reported_names_the_host_that_is_served(
    tmp_path: Path, host: str, name: str
) -> None:
    data = created(tmp_path / "data")
    async with heard("up", "--host", host, "--data", str(data), log=tmp_path / "log") as server:
        assert server.url.startswith(f"http://{name}:")
        async with server.session() as session:
            _, network = await asked(session, "GET", "/.well-known/moltnet.json")
            async with session.post("/mcp", headers={"Authorization": "Bearer no-token"}, json={}) as refused:
                challenge = refused.headers["WWW-Authenticate"]
            _, resource = await asked(session, "GET", "/.well-known/oauth-protected-resource")
    credentials, mcp = (json.loads(text_of(data / "first-agent" / file)) for file in FILES)
    assert credentials["endpoints"] == {"api": server.url, "mcp": f"{server.url}/mcp"}
    assert mcp["mcpServers"]["moltnet"]["url"] == f"{server.url}/mcp"
    assert f'resource_metadata="{server.url}/.well-known/oauth-protected-resource' in challenge
    assert resource["authorization_servers"] == [server.url]
    assert server.url in json.dumps(network)
    assert server.url in text_of(tmp_path / "log")
