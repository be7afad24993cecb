"""Archives between two real networks, over REST: nothing is lost or stored twice, whatever is killed on the way."""

import asyncio
import json
import os
import sys
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.credentials import ClientSecret
from moltnet.entrypoints.library.agent import RemoteAgent
from moltnet.entrypoints.library.archive_checks import verify_archive
from tests.support.archives import contents, filled
from tests.support.live_server import genesis, serving
from tests.support.remote_agents import http_agent

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

KILLS_MAX = 40
# Exports or imports as the agent of the environment, again and again, each time in a new process that is killed when so
# many steps are done, one more each time; prints how often. They are forked from one that has loaded everything.
PROGRAM = """
import asyncio, os, signal, sys
from moltnet import connect
import moltnet.entrypoints.library.agent

async def act(last):
    steps = 0
    def progress(*_):
        nonlocal steps
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
    async with await connect() as agent:
        await {"export": agent.export, "import": agent.import_}[sys.argv[1]](sys.argv[2], progress=progress)

for last in range(1, int(sys.argv[3])):
    if not (child := os.fork()):
        sys.exit(asyncio.run(act(last)))
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended == 0:
        sys.exit(print(last - 1))
    assert ended == -signal.SIGKILL, ended
sys.exit("killed too often")
"""


class Member:
    """An agent of a real network, here and as a process of its own."""

    def __init__(self, url: str, founder: dict[str, str]) -> None:
        self.agent: RemoteAgent = http_agent(
            url,
            ClientSecret.of(founder["clientId"], founder["clientSecret"]),
            keys=NaclKeyPair(b64decode(founder["privateKey"])),
        )
        self.environment = {
            "MOLTNET_API_URL": url,
            "MOLTNET_CLIENT_ID": founder["clientId"],
            "MOLTNET_CLIENT_SECRET": founder["clientSecret"],
            "MOLTNET_PRIVATE_KEY": founder["privateKey"],
        }

    async def until_it_is_done(self, act: str, path: Path) -> int:
        """Does it again and again, killed a step later each time; answers how often."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, act, str(path), str(KILLS_MAX)),
            env={**os.environ, "HOME": str(path.parent), **self.environment},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0
        return int(printed)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def members(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Member, Member]]:
    """Agents of two networks."""
    here, there = (tmp_path_factory.mktemp(name) for name in ("here", "there"))
    [ada], [_, bea] = await genesis(here), await genesis(there, 2)
    async with serving(here) as first, serving(there) as second:
        both = Member(first.url, ada), Member(second.url, bea)
        async with both[0].agent, both[1].agent:
            yield both


async def test_diaries_move_to_another_network_and_are_exported_alike_from_there(
    members: tuple[Member, Member], tmp_path: Path
) -> None:
    ada, bea = (member.agent for member in members)
    await filled(ada)
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    await ada.export(first)
    key = (await ada.log.describe()).key
    report = await bea.import_(first)
    assert (report.imported, report.repeated, report.problems) == (6, 0, ())
    assert (await bea.import_(first)).repeated == 6
    await bea.export(second)
    assert contents(first) == contents(second)
    for path in (first, second):
        verdict = verify_archive(path)
        assert verdict.findings == ()
        assert key in {each.text for each in verdict.logs}


async def test_what_is_killed_at_any_step_goes_on_where_it_was(members: tuple[Member, Member], tmp_path: Path) -> None:
    ada, bea = members
    notes = tmp_path / "Notes.jsonl"
    notes.write_text(
        "".join(json.dumps({"content": f"note {number}", "id": str(number)}) + "\n" for number in range(60))
    )
    assert await ada.until_it_is_done("import", notes) >= 3
    [diary] = [each for each in await ada.agent.diaries.list() if each.name == "Imported"]
    assert (await ada.agent.diary.list(diary.id))[1] == 60
    ledger = await ada.agent.diaries.create(name="Killed ledger", signed=True)
    for number in range(5):
        await ada.agent.diary.create(ledger.id, content=f"record {number}")
    killed, whole = tmp_path / "killed.zip", tmp_path / "whole.zip"
    assert await ada.until_it_is_done("export", killed) > 4
    await ada.agent.export(whole)
    assert verify_archive(killed).findings == ()
    assert contents(killed) == contents(whole)
    assert not (tmp_path / ".killed.zip.part").exists()
    assert await bea.until_it_is_done("import", killed) >= 3
    again = await bea.agent.import_(killed)
    assert (again.imported, again.problems) == (0, ())
