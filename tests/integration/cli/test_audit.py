"""`moltnet audit`: what an operator sees, its own acts included."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests.support.commands import SECRETS, run, url_of
from tests.support.postgres import an_empty_database

pytestmark = pytest.mark.real


async def test_events_are_printed_in_words_and_as_json(tmp_path: Path) -> None:
    async with an_empty_database() as conninfo:
        options = {"DATABASE_URL": url_of(conninfo), **SECRETS}
        founded = await run("genesis", "--data", str(tmp_path), **options)
        await run("keys", "rotate", **options)
        exported = await run("audit", "--json", **options)
        assert (exported.status, exported.err) == (0, "")
        events = [json.loads(line) for line in exported.out.splitlines()]
        assert [each["action"] for each in events] == ["agent_registered", "signing_key_replaced"]
        assert events[0]["actorId"] == founded.printed[0]["identityId"]
        assert "actorId" not in events[1]
        in_words = await run("audit", **options)
        assert [line.split()[2] for line in in_words.out.splitlines()] == ["agent_registered", "signing_key_replaced"]
        # A process that has loaded no more than the command needs.
        command = (sys.executable, "-m", "moltnet", "audit", "--json")
        alone = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **options}, stdout=asyncio.subprocess.PIPE
        )
        assert (await alone.communicate())[0].decode() == exported.out
        assert (await run("audit", "--since", "2100-01-01", **options)).out == ""
