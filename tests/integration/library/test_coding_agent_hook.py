"""The hook of coding agents: what it tells, what it stores, and that a session never waits for it in vain."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

HOOK = Path(__file__).parents[3] / "examples" / "coding_agent_hook.py"


@pytest.fixture
async def ada(network):
    return await network.network.genesis()


async def hooked(event, network_url, agent):
    environment = {
        **os.environ,
        "MOLTNET_API_URL": network_url,
        "MOLTNET_CLIENT_ID": str(agent.identity.credentials.client_id),
        "MOLTNET_CLIENT_SECRET": agent.identity.credentials.secret,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HOOK)),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, errors = await process.communicate(json.dumps(event).encode())
    assert process.returncode == 0, errors.decode()
    return told.decode(), errors.decode()


async def test_what_was_stored_before_compaction_is_told_at_the_next_start(network, ada, tmp_path):
    transcript = tmp_path / "transcript.jsonl"
    transcript.write_text("x" * 9_000 + '{"role": "user", "text": "The release is on Thursday"}', encoding="utf-8")
    compact = {"hook_event_name": "PreCompact", "transcript_path": str(transcript)}
    assert await hooked(compact, network.url, ada) == ("", "")
    told, _ = await hooked({"hook_event_name": "SessionStart"}, network.url, ada)
    assert "The release is on Thursday" in json.loads(told)["hookSpecificOutput"]["additionalContext"]


async def test_a_session_starts_while_the_network_is_away(ada):
    told, errors = await hooked({"hook_event_name": "SessionStart"}, "http://127.0.0.1:9", ada)
    assert told == ""
    assert "the session goes on without memories" in errors
