"""`moltnet mcp`: what it says when it cannot start, and what it makes of what it is sent."""

import asyncio
import json
import os
import sys

from mcp import StdioServerParameters
from mcp.client.client import Client

from tests.integration.mcp.conftest import initialize, message
from tests.support.commands import run
from tests.support.mcp_clients import used
from tests.support.networks import in_memory
from tests.support.worlds import served as served_for_commands

STARTED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def call(name):
    return message("tools/call", name=name, arguments={}) | {"id": 2}


async def answers_to(lines, **environment):
    """What the command answers, by id, until it has answered the second request."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "moltnet", "mcp"),
        env={"PYTHONPATH": ":".join(sys.path), **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"".join(line + b"\n" for line in lines))
    answers = {}
    while 2 not in answers:
        answer = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        answers[answer.get("id")] = answer
    process.stdin.close()
    assert await process.wait() == 0
    return answers


async def test_without_credentials_it_says_what_to_do(tmp_path):
    ended = await run("mcp", "--config-dir", str(tmp_path))
    assert "moltnet register" in ended.refusal


async def test_what_is_no_message_ends_nothing(network, ada):
    sent = [json.dumps(each).encode() for each in (initialize(), STARTED, call("moltnet_whoami"))]
    answers = await answers_to(
        [b"not json", b"[]", b"", *sent],
        MOLTNET_API_URL=network.url,
        MOLTNET_CLIENT_ID=ada.client_id,
        MOLTNET_CLIENT_SECRET=ada.secret,
    )
    assert answers[1]["result"]["serverInfo"]["name"] == "moltnet"
    assert json.loads(answers[2]["result"]["content"][0]["text"])["identity"]["fingerprint"] == ada.fingerprint


async def test_a_network_that_does_not_answer_is_reported_in_the_result():
    answers = await answers_to(
        [json.dumps(each).encode() for each in (initialize(), STARTED, call("diaries_list"))],
        MOLTNET_API_URL="http://127.0.0.1:9",
        MOLTNET_CLIENT_ID="00000000-0000-0000-0000-000000000001",
        MOLTNET_CLIENT_SECRET="x",
    )
    told = json.loads(answers[2]["result"]["content"][0]["text"])
    assert answers[2]["result"]["isError"] is True
    assert (told["error"], told["status"]) == ("Failed to list diaries", 502)


async def test_a_signed_diary_is_written_by_tools_alone_where_the_key_is(tmp_path):
    async with served_for_commands(in_memory()) as network:
        founder = await network.network.genesis()
        written = await run("register", "--voucher", (await founder.vouch.issue()).code, **at(network, tmp_path))
        assert written.status == 0, written
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path), **at(network, tmp_path)}
        command = StdioServerParameters(command=sys.executable, args=["-m", "moltnet", "mcp"], env=environment)
        async with Client(command) as client:
            diary = (await used(client, "diaries_create", name="Ledger", signed=True))["diary"]["id"]
            first = (await used(client, "diary_create", diary_ref="Ledger", content="Paid 10", tags=["bill"]))["entry"]
            changed = await used(client, "diary_update", diary_ref="Ledger", entry_id=first["id"], content="Paid 11")
            found = await used(client, "diary_search", query="paid", diary_ref="Ledger")
            assert {each["content"] for each in found["results"]} == {"Paid 10", "Paid 11"}
            assert (changed["entry"]["tags"], changed["entry"]["content"]) == (["bill"], "Paid 11")
            await used(client, "diary_delete", diary_ref="Ledger", entry_id=first["id"])
            left = await used(client, "diary_list", diary_ref="Ledger")
            assert [each["id"] for each in left["items"]] == [changed["entry"]["id"]]
        verdict = await run("verify", diary, **at(network, tmp_path))
        assert (verdict.status, verdict.printed["holds"], verdict.printed["entries"]) == (0, True, 1)


def at(network, home):
    return {"MOLTNET_API_URL": network.url, "HOME": str(home)}
