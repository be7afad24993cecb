"""A user that the machine does not know, without HOME: as a container gives a process an arbitrary number."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import forked
from tests.support.commands import ROOT, SECRETS, Ended

pytestmark = pytest.mark.real

STRANGER = 54321
# Inside, all files of the user who runs the tests belong to the stranger, so interpreter and packages are in reach.
UNKNOWN_USER = ("unshare", "--user", f"--map-user={STRANGER}", f"--map-group={STRANGER}")
CREDENTIALS = {"MOLTNET_CLIENT_ID": "11111111-1111-4111-8111-111111111111", "MOLTNET_CLIENT_SECRET": "secret"}
NOBODY_THERE = {"MOLTNET_API_URL": "http://127.0.0.1:1"}
NO_USER_NAME = f"error: PostgreSQL's initdb needs a user name for uid {STRANGER}, and this machine has none: "
NO_ENVIRONMENT = ("env", "-i", f"PATH={os.defpath}", f"PYTHONPATH={ROOT}", "PYTHONDONTWRITEBYTECODE=1")
NO_HOME = "error: MOLTNET_DATA: this user has no home folder; choose a data folder with --data\n"


def as_stranger(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run of the interpreter with nothing in its environment but what is named."""
    named = (f"{name}={value}" for name, value in environment.items())
    command = (*UNKNOWN_USER, *NO_ENVIRONMENT, *named, sys.executable, *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


async def moltnet(*arguments: str, **environment: str) -> Ended:
    """A command in the same way; its modules were loaded by the same user, in the same environment."""
    environment = {"PATH": os.defpath, **environment}
    process = await forked.start(
        arguments, environment, Path("/"), subprocess.PIPE, prefix=(*UNKNOWN_USER, *NO_ENVIRONMENT)
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture(autouse=True, scope="module")
def _namespaces() -> None:
    try:
        done = subprocess.run([*UNKNOWN_USER, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if done.returncode:
        pytest.skip("this machine lets nobody make a user namespace")


@pytest.mark.parametrize("command", ["serve", "up", "genesis", "migrate"])
async def test_a_server_without_a_data_folder_says_one_sentence(command: str) -> None:
    assert await moltnet(command) == Ended(2, "", NO_HOME)


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("up", "--port", "0"), ("genesis",), ("migrate",)])
async def test_an_embedded_database_that_cannot_be_created_is_one_sentence(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    ended = await moltnet(*command, "--data", str(tmp_path / "data"))
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(NO_USER_NAME)
    assert ended.err.count("\n") == 1


async def test_doctor_says_what_is_missing(tmp_path: Path) -> None:
    without, with_folder = await asyncio.gather(moltnet("doctor"), moltnet("doctor", "--data", str(tmp_path / "data")))
    assert without.status == with_folder.status == 1
    assert "this user has no home folder" in without.out
    assert f"a user name for uid {STRANGER}" in with_folder.out
    assert without.err == with_folder.err == ""


async def test_a_database_elsewhere_needs_no_home(tmp_path: Path) -> None:
    database = {"DATABASE_URL": "postgresql://127.0.0.1:1/moltnet", **SECRETS}
    assert "DATABASE_URL" in (await moltnet("genesis", "--data", str(tmp_path / "data"), **database)).refusal


@pytest.mark.parametrize("command", [("agents", "whoami"), ("diary", "list"), ("vouch", "issue"), ("bootstrap",)])
async def test_commands_of_an_agent_take_credentials_from_the_environment(command: tuple[str, ...]) -> None:
    with_credentials = await moltnet(*command, **CREDENTIALS, **NOBODY_THERE)
    assert with_credentials.err.startswith("error: http://127.0.0.1:1 does not answer")
    without = await moltnet(*command, **NOBODY_THERE)
    assert without.err.startswith("error: No credentials: ")
    assert (with_credentials.err.count("\n"), without.err.count("\n")) == (1, 1)


async def test_a_credentials_path_with_a_tilde_is_one_sentence() -> None:
    ended = await moltnet("agents", "whoami", MOLTNET_CREDENTIALS_PATH="~/agent.json")
    told = "error: MOLTNET_CREDENTIALS_PATH: cannot find the home folder in ~/agent.json; write the folder in full\n"
    assert ended.err == told


def test_library_connects_with_credentials_in_the_environment() -> None:
    connecting = "import asyncio, moltnet; print(type(asyncio.run(moltnet.connect())).__name__)"
    ended = as_stranger("-c", connecting, **CREDENTIALS)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "RemoteAgent\n", "")


def test_library_without_credentials_says_that() -> None:
    connecting = (
        "import asyncio, moltnet\ntry: asyncio.run(moltnet.connect())\nexcept moltnet.MoltNetError as e: print(e.code)"
    )
    ended = as_stranger("-c", connecting)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "NO_CREDENTIALS\n", "")
