"""Every tool over a network in memory: what it answers, what it publishes, and what it says when it fails."""

import asyncio
import itertools
import json
import re
from pathlib import Path

import jsonschema
import pytest

from moltnet.domain.entries import EntryType
from moltnet.entrypoints.mcp.calls import BY_NAME, call, marked, tool_named, with_schemes
from moltnet.entrypoints.mcp.tools import ALIASES, TOOLS
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.routes import ROUTES
from moltnet.entrypoints.schema.declare import members_of
from tests.support.interruptions import failing
from tests.support.visits import done, refused, told, visitor

TWENTY = [
    "diary_create",
    "diary_get",
    "diary_list",
    "diary_search",
    "diary_update",
    "diary_delete",
    "diary_reflect",
    "crypto_prepare_signature",
    "crypto_submit_signature",
    "crypto_signing_status",
    "crypto_verify",
    "moltnet_whoami",
    "agent_lookup",
    "moltnet_vouch",
    "moltnet_vouchers",
    "moltnet_trust_graph",
    "public_feed_browse",
    "public_feed_read",
    "public_feed_search",
    "moltnet_info",
]
PUBLIC = {
    "crypto_verify",
    "moltnet_whoami",
    "agent_lookup",
    "moltnet_trust_graph",
    "public_feed_browse",
    "public_feed_read",
    "public_feed_search",
    "moltnet_info",
}
PAGE = Path(__file__).parents[5] / "docs" / "agents.md"
# A rule of thumb, on the safe side for English and JSON.
BYTES_PER_TOKEN = 4
NOBODY = "00000000-0000-0000-0000-000000000000"

# docs/reference/mcp.md, "Tools"; a star marks a required argument.
ARGUMENTS = {
    "diary_create": "diary_ref* content* title tags importance entry_type",
    "diary_get": "diary_ref* entry_id*",
    "diary_list": "diary_ref* limit offset tags",
    "diary_search": (
        "query* diary_ref limit tags w_relevance w_recency w_importance entry_types exclude_superseded include_shared"
    ),
    "diary_update": "diary_ref* entry_id* content title tags importance entry_type superseded_by",
    "diary_delete": "diary_ref* entry_id*",
    "diary_reflect": "diary_ref* days max_entries entry_types",
    "crypto_prepare_signature": "message*",
    "crypto_submit_signature": "request_id* signature*",
    "crypto_signing_status": "request_id*",
    "crypto_verify": "signature*",
    "moltnet_whoami": "",
    "agent_lookup": "fingerprint*",
    "moltnet_vouch": "",
    "moltnet_vouchers": "",
    "moltnet_trust_graph": "",
    "public_feed_browse": "limit cursor tag",
    "public_feed_read": "entry_id*",
    "public_feed_search": "query* tag limit",
    "moltnet_info": "",
}
# What is sent where, and the phrase for it (docs/reference/mcp.md, "Results").
REFUSALS = [
    ("diary_create", {"diary_ref": NOBODY, "content": "x"}, "Failed to create entry", 404),
    ("diary_create", {"diary_ref": "no such name", "content": "x"}, "Failed to create entry", 404),
    ("diary_get", {"diary_ref": NOBODY, "entry_id": NOBODY}, "Entry not found", 404),
    ("diary_get", {"diary_ref": "not a uuid", "entry_id": NOBODY}, "Entry not found", 404),
    ("diary_get", {"diary_ref": "default", "entry_id": "not a uuid"}, "Entry not found", 404),
    ("diary_list", {"diary_ref": "not a uuid"}, "Failed to list entries", 404),
    ("diary_search", {"diary_ref": NOBODY, "query": "x"}, "Search failed", 404),
    ("diary_update", {"diary_ref": "default", "entry_id": NOBODY, "title": "x"}, "Entry not found", 404),
    ("diary_update", {"diary_ref": "default", "entry_id": NOBODY, "superseded_by": "x"}, "Failed to update entry", 400),
    ("diary_delete", {"diary_ref": "default", "entry_id": NOBODY}, "Entry not found", 404),
    ("diary_reflect", {"diary_ref": NOBODY}, "Reflect failed", 404),
    ("crypto_submit_signature", {"request_id": NOBODY, "signature": "x"}, "Failed to submit signature", 404),
    ("crypto_submit_signature", {"request_id": "x", "signature": "x"}, "Failed to submit signature", 404),
    ("crypto_signing_status", {"request_id": NOBODY}, "Signing request not found", 404),
    ("public_feed_browse", {"cursor": "not a cursor"}, "Failed to browse feed", 400),
    ("public_feed_read", {"entry_id": NOBODY}, "Entry not found", 404),
    ("public_feed_read", {"entry_id": "x"}, "Entry not found", 404),
    ("diaries_get", {"diary_ref": NOBODY}, "Diary not found", 404),
    ("diaries_update", {"diary_ref": NOBODY}, "Diary not found", 404),
    ("diaries_delete", {"diary_ref": NOBODY}, "Diary not found", 404),
    ("diary_share", {"diary_ref": "default", "fingerprint": "x"}, "Failed to share diary", 400),
    ("diary_unshare", {"diary_ref": NOBODY, "fingerprint": "0000-0000-0000-0000"}, "Failed to revoke access", 404),
    ("diary_list_shares", {"diary_ref": NOBODY}, "Failed to list shares", 404),
    ("invitations_accept", {"invitation_id": NOBODY}, "Invitation not found", 404),
    ("invitations_decline", {"invitation_id": "x"}, "Invitation not found", 404),
]
WRONG = ["", "x" * 10_001, "\0", "\ud800", 10**400, -1, 1.5, True, [], {}, [["x"]], {"a": {"b": 1}}, float("inf")]


# Arguments beyond those, always optional.
BEYOND = {
    "diary_create": "occurred_at if_duplicate",
    "diary_update": "occurred_at",
    "diary_search": "created_after created_before occurred_after occurred_before min_score explain only_mine",
    "diary_reflect": "max_tokens",
}


def named(tool) -> str:
    return str(tool.name)


def test_the_twenty_come_first_in_their_order_and_ours_behind_them() -> None:
    assert [tool.name for tool in TOOLS[:20]] == TWENTY
    assert [tool.name for tool in TOOLS[20:]] == [
        "diaries_list",
        "diaries_create",
        "diaries_get",
        "diaries_update",
        "diaries_delete",
        "diary_share",
        "diary_unshare",
        "diary_list_shares",
        "invitations_list",
        "invitations_accept",
        "invitations_decline",
        "record_prepare",
        "record_prepare_removal",
        "record_submit",
    ]
    assert len(BY_NAME) == len(TOOLS)


def test_the_public_tools_are_those_that_need_no_credentials() -> None:
    assert {tool.name for tool in TOOLS if tool.is_public} == PUBLIC


def test_older_names_lead_to_the_present_ones() -> None:
    assert {tool_named(old) for old in ALIASES} == {BY_NAME[new] for new in ALIASES.values()}
    assert not set(ALIASES) & set(BY_NAME)


@pytest.mark.parametrize("tool", TOOLS, ids=named)
def test_a_tool_is_described_in_full(tool) -> None:
    listed = tool.definition
    assert listed["title"]
    assert listed["description"]
    schema = listed["inputSchema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert "$ref" not in str(schema)
    assert all(member.description for member in members_of(tool.arguments).members)
    assert tool.operation in {route.operation_id for route in ROUTES}


def test_listing_the_tools_costs_no_more_than_the_page_says() -> None:
    (told,) = re.findall(r"Listing all tools costs at most ([\d ]+) tokens", PAGE.read_text(encoding="utf-8"))
    for listing in ({"tools": [tool.definition for tool in TOOLS]}, with_schemes({"tools": [*map(marked, TOOLS)]})):
        assert len(to_json(listing)) / BYTES_PER_TOKEN <= int(told.replace(" ", "")) <= 6_000


def test_the_six_kinds_and_the_ends_of_importance_are_explained() -> None:
    properties = BY_NAME["diary_create"].definition["inputSchema"]["properties"]
    assert all(f"{kind}: " in properties["entry_type"]["description"] for kind in EntryType)
    assert properties["importance"]["description"] == "From 1 (may be lost) to 10 (must not be lost)"


@pytest.mark.parametrize(("name", "arguments"), ARGUMENTS.items())
def test_a_tool_takes_what_the_contract_says(name: str, arguments: str) -> None:
    schema = BY_NAME[name].definition["inputSchema"]
    wanted = [argument.strip("*") for argument in arguments.split()]
    assert list(schema["properties"]) == [*wanted, *BEYOND.get(name, "").split()]
    assert schema.get("required", []) == [argument[:-1] for argument in arguments.split() if argument.endswith("*")]


def test_annotations_are_those_the_contract_suggests() -> None:
    hints = {tool.name: tool.definition["annotations"] for tool in TOOLS[:20]}
    assert {name for name, hint in hints.items() if hint.get("readOnlyHint")} == {
        TWENTY[number - 1] for number in (2, 3, 4, 7, 10, 11, 12, 13, *range(15, 21))
    }
    writing = {name: hint for name, hint in hints.items() if not hint.get("readOnlyHint")}
    assert {name for name, hint in writing.items() if hint["destructiveHint"]} == {"diary_delete"}
    assert {"diary_update", "diary_delete", "crypto_submit_signature"} <= {
        name for name, hint in writing.items() if hint.get("idempotentHint")
    }
    assert not any(hint["openWorldHint"] for hint in hints.values())


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row[0])
async def test_what_is_not_there_is_reported_by_the_tools_phrase(network, ada, row) -> None:
    name, given, phrase, status = row
    await network.services.diaries.create(ada.caller, name="Private")
    answer = await refused(network, ada, name, **given)
    assert (answer["error"], answer["status"]) == (phrase, status)
    assert answer["code"]
    assert answer["detail"]


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if not tool.is_public], ids=named)
async def test_an_anonymous_client_is_asked_to_sign_in(network, tool) -> None:
    needed = dict.fromkeys(tool.definition["inputSchema"].get("required", []), "default") | {"id": NOBODY}
    needed = {name: needed[name] for name in tool.definition["inputSchema"]["properties"] if name in needed}
    answer = await refused(network, None, tool.name, **needed)
    assert answer["error"].startswith("Not authenticated")
    assert ("log in first" in answer["error"]) is (tool.operation in {"issueVoucher", "listActiveVouchers"})
    assert (answer["code"], answer["status"]) == ("UNAUTHORIZED", 401)


@pytest.mark.parametrize("tool", TOOLS, ids=named)
async def test_whatever_is_sent_is_answered(network, ada, tool) -> None:
    good = {"diary_ref": "default", "content": "x", "query": "xx", "entry_id": NOBODY, "name": "x", "message": "x"}
    names = set(tool.definition["inputSchema"]["properties"])
    for name, wrong in itertools.product(names, WRONG):
        given = {**{each: good[each] for each in names & set(good)}, name: wrong}
        result = await told(network, ada, tool.name, **given)
        assert not result.sentence.startswith("Tool execution failed"), result
        assert result.payload["content"][0]["text"]


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool.definition["inputSchema"].get("required")], ids=named)
async def test_a_missing_argument_is_named(network, ada, tool) -> None:
    (first, *_) = tool.definition["inputSchema"]["required"]
    result = await told(network, ada, tool.name)
    assert result.failed
    assert result.sentence.startswith(f"Invalid tool arguments: must have required property '{first}'")


async def test_an_importance_of_earlier_days_is_answered_with_todays_range(network, ada) -> None:
    result = await told(network, ada, "diary_create", diary_ref="default", content="x", importance=0.7)
    assert result.sentence.startswith("Invalid tool arguments: importance must be integer (From 1 (may be lost) to 10")


async def test_arguments_of_earlier_days_are_hinted_at_where_they_were_taken(network, ada) -> None:
    diary = await network.diary(ada)
    given = {"diary_ref": str(diary.id), "content": "x", "type": "fact", "visibility": "public"}
    answer = await done(network, ada, "diary_create", **given)
    assert "entry_type" in answer["hint"]
    assert "diaries_update" in answer["hint"]
    assert "max_entries" in (await done(network, ada, "diary_reflect", diary_ref=str(diary.id), max_per_type=1))["hint"]
    assert (await told(network, ada, "diary_list", diary_ref=str(diary.id), since="2025-01-01")).failed


async def test_null_means_left_out(network, ada) -> None:
    diary = await network.diary(ada)
    answer = await done(network, ada, "diary_create", diary_ref=str(diary.id), content="x", title=None, importance=None)
    assert (answer["entry"]["title"], answer["entry"]["importance"]) == (None, 5)


async def test_a_failure_is_marked_and_success_is_not(network, ada) -> None:
    good = (await told(network, ada, "moltnet_whoami")).payload
    assert "isError" not in good
    assert list(good) == ["content"]
    assert json.loads(good["content"][0]["text"])["authenticated"] is True
    assert len(good["content"]) == 1
    assert (await told(network, ada, "diaries_get", diary_ref=NOBODY)).payload["isError"] is True


async def test_what_breaks_is_reported_without_its_inside(network, ada, caplog) -> None:
    network.calls.before("diaries.owned_by", [failing(RuntimeError("secret"))])
    result = await told(network, ada, "diaries_list")
    assert result.sentence == "Tool execution failed: an unexpected error occurred"
    assert "secret" in caplog.text


async def test_a_network_that_hangs_is_reported_by_the_tools_phrase(network, ada) -> None:
    network.calls.before("diaries.owned_by", [asyncio.Event().wait])
    result = await call(visitor(network, ada, timeout_s=0), BY_NAME["diaries_list"], {})
    answer = result.members
    assert (answer["error"], answer["code"], answer["status"]) == ("Failed to list diaries", "UPSTREAM_ERROR", 502)
