"""`moltnet doctor`: everything in order, and each thing that is not with what to do about it."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.commands import SECRETS, Ended, run
from tests.support.live_server import genesis

pytestmark = pytest.mark.real

CHECKS = ["settings", "files", "model", "database", "clock", "extension", "schema", "keys", "serving", "identity"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a network with an agent, its database running."""
    folder = tmp_path_factory.mktemp("doctor") / "data"
    with EmbeddedPostgres(folder):
        asyncio.run(genesis(folder))
        yield folder


async def test_all_is_well(data: Path) -> None:
    spoken, as_json = await asyncio.gather(doctor(data), doctor(data, "--json"))
    assert (spoken.status, spoken.err) == (0, "")
    assert [line.split()[:2] for line in spoken.out.splitlines()] == [["ok", check] for check in CHECKS]
    assert (as_json.status, as_json.err) == (0, "")
    assert [(each["check"], each["ok"]) for each in as_json.printed] == [(check, True) for check in CHECKS]
    assert as_json.printed[-1]["detail"] == "native; agents are there"


async def test_where_clients_of_the_original_look_for_mcp_is_reported(data: Path) -> None:
    told = await doctor(data, "--json", MOLTNET_PUBLIC_URL="https://api.net.example")
    (address,) = (each for each in told.printed if each["check"] == "address")
    assert (told.status, address["ok"]) == (0, True)
    assert "look for MCP at https://mcp.net.example/mcp" in address["detail"]


async def test_secret_that_others_can_read(data: Path) -> None:
    secret = data / "recovery_challenge_secret"
    await _shell(f"chmod g+r {secret} {data}")
    told = bad(await doctor(data, "--json"))
    assert told == {"files": f"others can read secrets; run: chmod go= {data} {secret}"}
    await _shell(told["files"].partition("run: ")[2])
    assert (await doctor(data)).status == 0


async def test_first_agent_s_keys_are_secret_and_what_git_reads_is_not(data: Path) -> None:
    folder = data / "first-agent" / "ssh"
    folder.mkdir(mode=0o700, parents=True)
    key, *public = folder / "id_ed25519", folder / "id_ed25519.pub", folder.parent / "gitconfig"
    for path in (key, *public):
        path.write_text("")
        path.chmod(0o644)
    assert bad(await doctor(data, "--json")) == {"files": f"others can read secrets; run: chmod go= {key}"}
    shutil.rmtree(folder.parent)


async def test_things_that_are_not_as_they_should_be(data: Path, tmp_path: Path) -> None:
    """Each advice names what to change; what does not depend on the broken thing is looked at all the same."""
    without_model, other_secret, malformed, no_answer, unmigrated = await asyncio.gather(
        doctor(data, "--json", MOLTNET_MODEL="/nonexistent"),
        doctor(data, "--json", RECOVERY_CHALLENGE_SECRET="another-secret" * 3),
        doctor(data, "--json", PORT="http", CORS_ORIGINS="here"),
        doctor(tmp_path / "absent", "--json", DATABASE_URL="postgresql://127.0.0.1:1/x", **SECRETS),
        doctor(tmp_path / "fresh", "--json"),
    )
    assert bad(without_model) == {
        "model": "The model directory /nonexistent has no model.onnx; correct MOLTNET_MODEL, or unset it"
    }
    assert [each["check"] for each in without_model.printed] == CHECKS
    (keys,) = bad(other_secret).values()
    assert keys.startswith("RECOVERY_CHALLENGE_SECRET is not the one that the token signing keys in the database")
    assert "restore it from a backup (with the embedded database it is a file in the data folder)" in keys
    assert keys.endswith("or run 'moltnet keys rotate --now' to begin with a new key")
    assert [line.partition(":")[0] for line in bad(malformed)["settings"].splitlines()] == ["PORT", "CORS_ORIGINS"]
    assert [each["check"] for each in malformed.printed] == ["settings"]
    assert bad(no_answer)["database"].endswith("; check that it is running and that DATABASE_URL points to it")
    assert set(bad(unmigrated)) == {"extension", "schema"}
    assert all(told.endswith("run moltnet migrate") for told in bad(unmigrated).values())


async def test_what_is_wrong_is_reported_to_people_too(tmp_path: Path) -> None:
    ended = await doctor(tmp_path, PORT="http")
    assert (ended.status, ended.err) == (1, "")
    assert ended.out == "BAD  settings   PORT: must be a whole number from 0 to 65535, not 'http'\n"


async def _shell(command: str) -> None:
    assert await (await asyncio.create_subprocess_shell(command)).wait() == 0


async def doctor(data: Path, *options: str, **environment: str) -> Ended:
    return await run("doctor", "--data", str(data), *options, **environment)


def bad(ended: Ended) -> dict[str, Any]:
    """What was told of the checks that failed, of which there is at least one."""
    assert (ended.status, ended.err) == (1, "")
    return {each["check"]: each["detail"] for each in json.loads(ended.out) if not each["ok"]}
