"""What clients really send: lists and dates as text, arguments by other names, and names that no tool has."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.entries import EntryType
from moltnet.entrypoints.mcp.calls import BY_NAME, tool_named
from moltnet.entrypoints.mcp.tools import TOOLS
from moltnet.entrypoints.mcp.tools.tool import InvalidArguments
from moltnet.entrypoints.schema.declare import DateTime, Items, members_of
from tests.support.visits import done, told

NEEDED = {"diary_ref": "default", "content": "x", "query": "xx", "entry_id": "x", "name": "x", "message": "x"}
LATER = {
    "entries_create": "diary_create",
    "entries_get": "diary_get",
    "entries_list": "diary_list",
    "entries_search": "diary_search",
    "entries_update": "diary_update",
    "entries_delete": "diary_delete",
    "reflect": "diary_reflect",
}


def needed(tool) -> dict[str, object]:
    names = tool.definition["inputSchema"].get("required", [])
    return {name: NEEDED.get(name, "x") for name in names}


def members(kind):
    return [
        pytest.param(tool, member, id=f"{tool.name}-{member.alias}")
        for tool in TOOLS
        for member in members_of(tool.arguments).members
        if isinstance(member.shape, kind)
    ]


@pytest.mark.parametrize(("later", "definition"), LATER.items())
def test_the_originals_later_names_are_answered_and_not_listed(later, definition):
    assert tool_named(later) is BY_NAME[definition]
    assert later not in BY_NAME


@pytest.mark.parametrize(
    "tool",
    [tool for tool in TOOLS if "diary_ref" in tool.definition["inputSchema"]["properties"]],
    ids=lambda tool: tool.name,
)
def test_diary_id_is_taken_wherever_diary_ref_is(tool):
    given = {name: value for name, value in needed(tool).items() if name != "diary_ref"}
    parsed_arguments = tool.parsed_arguments({**given, "diary_id": "Work"})
    assert parsed_arguments == tool.parsed_arguments({**given, "diary_ref": "Work"})
    assert parsed_arguments == tool.parsed_arguments({**given, "diary_ref": "Work", "diary_id": "Work"})
    assert parsed_arguments == tool.parsed_arguments({**given, "diary_ref": None, "diary_id": "Work"})
    with pytest.raises(InvalidArguments, match="diary_ref and diary_id differ"):
        tool.parsed_arguments({**given, "diary_ref": "Work", "diary_id": "Private"})
    assert "diary_id" not in tool.definition["inputSchema"]["properties"]


@pytest.mark.parametrize(("tool", "member"), members(Items))
def test_a_list_may_be_sent_as_json_text(tool, member):
    items = ["semantic", "soul"]
    assert tool.parsed_arguments({**needed(tool), member.alias: json.dumps(items)}) == tool.parsed_arguments(
        {**needed(tool), member.alias: items}
    )
    assert tool.parsed_arguments({**needed(tool), member.alias: " [] "}) == tool.parsed_arguments(
        {**needed(tool), member.alias: []}
    )
    for broken in ("[", '["a"', "['a']", '["a"] x', '["\ud800"]', "[" * 9_000):
        with pytest.raises(InvalidArguments, match=member.alias):
            tool.parsed_arguments({**needed(tool), member.alias: broken})


def test_an_empty_list_filters_nothing_and_clears_tags():
    assert BY_NAME["diary_search"].parsed_arguments({"query": "x", "tags": "[]", "entry_types": []}) == BY_NAME[
        "diary_search"
    ].parsed_arguments({"query": "x"})
    place = {"diary_ref": "default", "entry_id": "x"}
    assert BY_NAME["diary_update"].parsed_arguments({**place, "tags": "[]"})["tags"] == []
    assert BY_NAME["diary_update"].parsed_arguments(place).get("tags") is None


def test_what_a_list_in_text_holds_is_cleaned_too():
    parsed_arguments = BY_NAME["diary_search"].parsed_arguments({"query": "x", "tags": '["a\\u0000b"]'})
    assert list(parsed_arguments["tags"]) == ["ab"]


@given(st.text(max_size=60))
def test_any_text_for_a_list_is_taken_or_refused(text):
    try:
        BY_NAME["diary_search"].parsed_arguments({"query": "x", "tags": text})
    except InvalidArguments as invalid:
        assert "tags" in str(invalid)  # noqa: PT017  # whether it is raised depends on the text


@pytest.mark.parametrize(("tool", "member"), members(DateTime))
def test_a_date_is_the_beginning_of_that_day(tool, member):
    day = tool.parsed_arguments({**needed(tool), member.alias: "2025-03-01"})
    assert day == tool.parsed_arguments({**needed(tool), member.alias: "2025-03-01T00:00:00Z"})
    for wrong in ("2025-02-30", "01.03.2025", "2025-03-01T10:00:00", "yesterday"):
        with pytest.raises(InvalidArguments, match="2026-01-31T09:30:00Z, or a date, as 2026-01-31"):
            tool.parsed_arguments({**needed(tool), member.alias: wrong})


@pytest.mark.parametrize(
    ("tool", "wrong", "place"),
    [
        ("diary_create", {"entry_type": "fact"}, "entry_type"),
        ("diary_create", {"entry_type": 5}, "entry_type"),
        ("diary_search", {"entry_types": ["semantic", "fact"]}, "entry_types/1"),
        ("diary_reflect", {"entry_types": "fact"}, "entry_types/0"),
    ],
)
async def test_a_wrong_choice_names_each_allowed_value_once(network, ada, tool, wrong, place):
    sentence = (await told(network, ada, tool, **{**needed(BY_NAME[tool]), **wrong})).sentence
    assert sentence.startswith(f"Invalid tool arguments: {place} must be one of ")
    assert [sentence.count(kind) for kind in EntryType] == [1] * len(EntryType)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
async def test_an_argument_that_a_tool_does_not_have_is_refused_by_name(network, ada, tool):
    result = await told(network, ada, tool.name, **needed(tool), whatever=1)
    assert result.failed
    assert result.sentence.startswith("Invalid tool arguments: unknown argument whatever; ")
    assert all(name in result.sentence for name in tool.definition["inputSchema"]["properties"])


@pytest.mark.parametrize(
    ("tool", "name", "meant"),
    [
        ("diary_search", "tag", "tags"),
        ("diary_search", "diaryId", "diary_ref"),
        ("diary_search", "diaryRef", "diary_ref"),
        ("diary_search", "entryTypes", "entry_types"),
        ("diary_search", "exclude-superseded", "exclude_superseded"),
        ("diary_search", "q", "query"),
        ("diary_get", "id", "entry_id"),
        ("diary_create", "text", "content"),
        ("diary_create", "importence", "importance"),
        ("public_feed_search", "tags", "tag"),
    ],
)
async def test_a_mistyped_argument_is_answered_with_what_was_likely_meant(network, ada, tool, name, meant):
    result = await told(network, ada, tool, **{**needed(BY_NAME[tool]), name: "x"})
    assert f"unknown argument {name}; did you mean {meant}?" in result.sentence


async def test_a_strange_name_is_repeated_in_part_and_as_text(network, ada):
    for name in ("x" * 9_000, "\ud800", "\x1b[31m", ""):
        result = await told(network, ada, "diary_search", **{"query": "x", name: 1})
        assert result.sentence.startswith("Invalid tool arguments: unknown argument")
        assert len(result.payload["content"][0]["text"].encode()) < 1_000
        assert "\x1b" not in result.sentence
    many = await told(network, ada, "diary_search", query="x", **{f"x{number}": 1 for number in range(90)})
    assert many.sentence.count("unknown argument") == 5


async def test_a_long_text_is_named(network, ada):
    for given_, place in (
        ({"content": "x" * 10_001}, "content"),
        ({"content": "x", "tags": ["x", "x" * 10_001]}, "tags/1"),
        ({"content": "x", "tags": [{"inner": "x" * 10_001}]}, "tags/0/inner"),
    ):
        sentence = (await told(network, ada, "diary_create", diary_ref="default", **given_)).sentence
        assert sentence == f"Invalid tool arguments: {place} has more than 10000 characters"


async def test_what_an_optional_argument_leaves_empty_is_left_out(network, ada):
    diary = str((await network.diary(ada)).id)
    empty = {"limit": "", "tags": "", "entry_types": "", "created_after": "", "explain": "", "min_score": ""}
    assert (await done(network, ada, "diary_search", query="x", diary_ref=diary, **empty))["results"] == []
    assert (await told(network, ada, "diary_search", query="x", diary_ref="")).failed
