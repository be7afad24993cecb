"""`docs/agents.md`, snippet by snippet: what is copied from there works."""

import asyncio
import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from mcp import StdioServerParameters
from mcp.client.client import Client

from moltnet.entrypoints.discovery.document import NetworkUrls, network_info
from tests.support.commands import text_of
from tests.support.mcp_clients import mcp_client, used

PAGE = Path(__file__).parents[3] / "docs" / "agents.md"
URL = "http://127.0.0.1:8000"


def snippets(language):
    return re.findall(rf"```{language}\n(.*?)```", text_of(PAGE), re.DOTALL)


def filled(snippet, network, member):
    for placeholder, value in (
        (URL, network.url),
        ("<your client id>", member.client_id),
        ("<your client secret>", member.secret),
        ("<your token>", member.token),
        ("<your private key>", member.key.seed_text),
    ):
        snippet = snippet.replace(placeholder, value)
    return snippet


def test_every_snippet_is_of_a_kind_that_is_run_here():
    fences = re.findall(r"^```(\w+)$", text_of(PAGE), re.MULTILINE)
    assert {language: fences.count(language) for language in fences} == {"json": 4, "console": 2, "python": 2}


@pytest.mark.parametrize("number", range(4))
async def test_each_configuration_connects(network, ada, number):
    document = json.loads(filled(snippets("json")[number], network, ada))
    (servers,) = document.values()
    configuration = servers["moltnet"]
    if "command" in configuration:
        assert configuration["command"] == "moltnet"
        arguments = ["-m", "moltnet", *configuration["args"]]
        environment = {**configuration["env"], "PYTHONPATH": ":".join(sys.path)}
        client = Client(StdioServerParameters(command=sys.executable, args=arguments, env=environment))
    else:
        assert (configuration["type"], configuration["url"]) == ("http", f"{network.url}/mcp")
        client = mcp_client(network.url, configuration["headers"])
    async with client as connected:
        assert (await used(connected, "moltnet_whoami"))["identity"]["fingerprint"] == ada.fingerprint


async def test_the_program_finds_what_it_wrote(network, ada):
    _, program = snippets("python")
    assert await output_of(sys.executable, "-c", filled(program, network, ada)) == "Mara prefers short updates.\n"


async def test_the_program_signs_in_by_the_agents_key(serve):
    network = await serve(at_its_own_address=True)
    ada = await network.member()
    program, _ = snippets("python")
    assert await output_of(sys.executable, "-c", filled(program, network, ada)) == "True\n"


async def test_the_request_by_hand_is_answered(network, ada):
    _, command = snippets("console")
    curl, *arguments = shlex.split(filled(command, network, ada).replace("\\\n", ""))
    assert curl == "curl"  # as much of it as the pages use, for machines that have none
    answer = json.loads(await output_of(sys.executable, "-m", "tests.support.curl", *arguments))
    assert json.loads(answer["result"]["content"][0]["text"])["identity"]["fingerprint"] == ada.fingerprint


def test_the_command_for_claude_code_is_the_networks_own():
    command, _ = snippets("console")
    assert command.strip() == network_info(NetworkUrls(api_url=URL)).quickstart.mcp_config.cli


async def output_of(*command):
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()
