"""The example of the Vercel AI SDK, run with it on Node.js, and the diary that it shares with an agent in Python."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from moltnet.integrations import DiaryStore

MODULES = Path(sys.prefix) / "ai_sdk" / "node_modules"
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not MODULES.is_dir(), reason="the AI SDK is not installed here, which takes npm")


async def test_an_agent_of_the_ai_sdk_and_one_of_langgraph_share_a_diary(server, tmp_path):
    ada = await server.network.genesis()
    for source in (ROOT / "examples/ai_sdk.mjs", ROOT / "tests/frameworks/ai_sdk/ask.mjs"):
        shutil.copy(source, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    secret = ada.identity.credentials
    headers = {"X-Client-Id": str(secret.client_id), "X-Client-Secret": secret.secret}
    diary, *_ = await ada.diaries.list()
    store = DiaryStore(ada, diaries={"mine": diary.id})
    await store.aput(("mine",), "bread", {"content": "Ada likes rye bread"})

    write = ("diary_create", {"diary_ref": "default", "content": "Ada asked for bread"})
    script = [("diary_search", {"query": "bread"}), write, "Rye."]
    process = await asyncio.create_subprocess_exec(
        *("node", "ask.mjs", server.url, json.dumps(headers), json.dumps(script)),
        cwd=tmp_path,
        env=os.environ | {"AI_SDK_LOG_WARNINGS": "false"},
        stdout=asyncio.subprocess.PIPE,
    )
    told = json.loads((await process.communicate())[0])

    assert told["answer"] == "Rye."
    assert "Ada likes rye bread" in told["seen"][1]
    assert "Memory saved" in told["seen"][2]
    assert {item.value["content"] for item in await store.asearch(("mine",))} == {
        "Ada likes rye bread",
        "Ada asked for bread",
    }
