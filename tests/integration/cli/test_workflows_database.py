"""Workflows in a database of their own: served from there, backed up and restored with the network."""

import asyncio
import base64
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from moltnet.adapters.nacl import NaclKeyPair
from tests.support.commands import SECRETS, run, url_of
from tests.support.live_server import START_WITHIN_S, asked, serving
from tests.support.postgres import an_empty_database, rows

pytestmark = pytest.mark.real

SCHEMAS = "select nspname::text from pg_namespace where nspname = 'dbos'"
TABLES = "select count(*) from pg_class where relname = 'agent_keys'"


def databases(network: str, workflows: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url_of(network),
        "MOLTNET_WORKFLOWS_DATABASE_URL": url_of(workflows),
        **SECRETS,
    }


async def test_a_signature_waits_in_its_own_database_and_goes_on_after_a_restore(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        one, two, three, four = [await stack.enter_async_context(an_empty_database()) for _ in range(4)]
        here, there = databases(one, two), databases(three, four)
        file, data = str(tmp_path / "backup"), ("--data", str(tmp_path / "data"))
        assert (await run("migrate", *data, **here)).status == 0
        (founder,) = (await run("genesis", *data, **here)).printed
        async with serving(tmp_path, **here) as server, server.session(founder["accessToken"]) as session:
            _, signing = await asked(session, "POST", "/crypto/signing-requests", json={"message": "pay 3 herons"})
        assert (await rows(one, SCHEMAS), await rows(two, SCHEMAS)) == ([], [("dbos",)])
        assert await rows(two, TABLES) == [(0,)]
        assert (await run("backup", file, **here)).status == 0
        assert (await run("backup", "--verify", file)).status == 0
        without = {name: value for name, value in there.items() if name != "MOLTNET_WORKFLOWS_DATABASE_URL"}
        assert "MOLTNET_WORKFLOWS_DATABASE_URL" in (await run("restore", file, **without)).refusal
        restored = await run("restore", file, **there)
        assert restored.status == 0, restored.err
        keys = NaclKeyPair(base64.b64decode(founder["privateKey"]))
        body = {"signature": keys.sign(base64.b64decode(signing["signingInput"]))}
        async with serving(tmp_path, **there) as server, server.session(founder["accessToken"]) as session:
            path = f"/crypto/signing-requests/{signing['id']}/sign"
            status, signed = await asked(session, "POST", path, json=body)
            assert status == 200, signed
            # A workflow that is only now taken up again judges later than a submission waits.
            async with asyncio.timeout(START_WITHIN_S):
                while signed["status"] == "pending":
                    _, signed = await asked(session, "GET", path.removesuffix("/sign"))
        assert (signed["status"], signed["valid"]) == ("completed", True), signed
