"""The skill file, and the block for AGENTS.md: short, and true to the tools."""

import re
from pathlib import Path

import pytest

from moltnet.domain.entries import EntryType
from moltnet.entrypoints.integrations.tools import MEMORY_TOOLS
from moltnet.entrypoints.mcp.tools import TOOLS

ROOT = Path(__file__).parents[2]
SKILL = (ROOT / "skills/moltnet-memory/SKILL.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/integrations.md").read_text(encoding="utf-8")
(BLOCK,) = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
# Members of what tools answer, tags of a self, and a diary's name.
ANSWERED = {"author", "confident", "injectionRisk", "system", "default"}


def test_the_skill_has_at_most_800_tokens():
    """A token of this text is 3.8 bytes in o200k_base; the head is read on its own, by every agent at all times."""
    assert len(SKILL.encode()) / 3.5 <= 800
    head = SKILL.split("---\n")[1]
    assert re.fullmatch(r"name: moltnet-memory\ndescription: .{50,1000}\n", head)


@pytest.mark.parametrize("text", [SKILL, BLOCK], ids=["skill", "block"])
def test_every_name_in_it_is_real(text):
    arguments = {name for tool in TOOLS for name in tool.definition["inputSchema"]["properties"]}
    known = {tool.name for tool in TOOLS} | arguments | set(EntryType) | ANSWERED
    named = {re.split(r"[: ]", code)[0] for code in re.findall(r"`([^`]+)`", text)}
    assert named - known == set()
    assert {name for name in named if name in {tool.name for tool in TOOLS}} >= {
        "moltnet_whoami",
        "diary_search",
        "diary_create",
        "diary_reflect",
        "diary_update",
    }


def test_every_tool_of_the_skill_is_offered_without_being_named():
    named = {tool.name for tool in TOOLS} & set(re.findall(r"\w+", SKILL))
    assert named <= set(MEMORY_TOOLS)
