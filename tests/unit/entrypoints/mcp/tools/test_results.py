"""What the tools answer when all goes well (docs/reference/mcp.md, "Results")."""

import base64
from datetime import timedelta

import pytest

from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import EntryType
from moltnet.domain.errors import StorageUnavailable
from moltnet.entrypoints.mcp.tools.agents import VERIFICATION_PENDING, _submitted
from tests.support.builders import a_signing_request
from tests.support.interruptions import failing
from tests.support.visits import done, refused, told, visitor

NOBODY = "00000000-0000-0000-0000-000000000000"
ENTRY = [
    "id",
    "diaryId",
    "title",
    "content",
    "tags",
    "injectionRisk",
    "importance",
    "accessCount",
    "lastAccessedAt",
    "entryType",
    "supersededBy",
    "createdAt",
    "updatedAt",
    "author",
]
LISTED = {"id", "content", "importance", "entryType", "createdAt", "author"}
HIT = {*LISTED, "diaryId", "score"}
IN_FEED = {"id", "content", "createdAt", "author"}
READ_IN_FEED = ["id", "title", "content", "tags", "injectionRisk", "createdAt", "author"]


async def test_an_entry_from_its_writing_to_its_end(network, ada):
    diary = str((await network.diary(ada)).id)
    made = await done(
        network, ada, "diary_create", diary_ref=diary, content="A day", tags=["x"], importance=9, entry_type="episodic"
    )
    assert list(made) == ["success", "entry", "message"]
    assert (made["success"], made["message"], list(made["entry"])) == (True, "Memory saved", ENTRY)
    place = {"diary_ref": diary, "entry_id": made["entry"]["id"]}
    assert await done(network, ada, "diary_get", **place) == {"entry": made["entry"]}
    changed = await done(network, ada, "diary_update", **place, title="Now with a title")
    assert (changed["success"], changed["entry"]["title"], changed["entry"]["content"]) == (
        True,
        "Now with a title",
        "A day",
    )
    other = await done(network, ada, "diary_create", diary_ref=diary, content="Better")
    replaced = await done(network, ada, "diary_update", **place, superseded_by=other["entry"]["id"])
    assert replaced["entry"]["supersededBy"] == other["entry"]["id"]
    assert await done(network, ada, "diary_delete", **place) == {"success": True, "message": "Entry deleted"}
    assert (await refused(network, ada, "diary_get", **place))["error"] == "Entry not found"


async def test_what_is_said_again_is_returned_on_demand(network, ada):
    diary = str((await network.diary(ada)).id)
    first = await done(network, ada, "diary_create", diary_ref=diary, content="The deploy failed")
    again = await done(
        network, ada, "diary_create", diary_ref=diary, content="the deploy failed!", if_duplicate="return"
    )
    assert (again["duplicate_of"], again["entry"]["id"]) == (first["entry"]["id"], first["entry"]["id"])
    assert again["message"] == "Already remembered; nothing was stored"
    stored = await done(network, ada, "diary_create", diary_ref=diary, content="The deploy failed")
    assert [each["id"] for each in stored["similar"]] == [first["entry"]["id"]]
    assert "duplicate_of" not in stored


async def test_a_list_has_its_page_and_its_total(network, ada):
    diary = await network.diary(ada)
    for number in range(3):
        await network.entry(ada, diary, str(number), "t" if number else "")
    page = await done(network, ada, "diary_list", diary_ref=str(diary.id), limit=1, offset=1)
    assert list(page) == ["items", "total", "limit", "offset"]
    assert ([entry["content"] for entry in page["items"]], page["total"], page["limit"]) == (["1"], 3, 1)
    tagged = await done(network, ada, "diary_list", diary_ref=str(diary.id), tags=["t"])
    assert (tagged["total"], tagged["limit"], tagged["offset"]) == (2, 20, 0)


async def test_a_search_says_how_it_found_and_how_well(network, ada, bob):
    mine, shared = await network.diary(ada), await network.diary(bob)
    await network.admit(shared, bob, ada)
    await network.entry(ada, mine, "the deploy failed")
    await network.entry(bob, shared, "the deploy worked")
    found = await done(network, ada, "diary_search", query="deploy")
    assert list(found) == ["results", "total", "search_type", "confident"]
    assert {entry["content"] for entry in found["results"]} == {"the deploy failed", "the deploy worked"}
    assert set(found["results"][0]) == HIT
    authors = {entry["content"]: entry["author"]["fingerprint"] for entry in found["results"]}
    assert authors == {"the deploy failed": str(ada.fingerprint), "the deploy worked": str(bob.fingerprint)}
    assert (found["total"], found["search_type"]) == (2, "hybrid")
    alone = await done(network, ada, "diary_search", query="deploy", include_shared=False)
    assert [entry["content"] for entry in alone["results"]] == ["the deploy failed"]
    there = await done(network, ada, "diary_search", query="deploy", diary_ref=str(shared.id))
    assert [entry["content"] for entry in there["results"]] == ["the deploy worked"]


async def test_a_search_explains_itself_on_demand(network, ada):
    diary = await network.diary(ada)
    await network.entry(ada, diary, "the deploy failed", "ops")
    await network.entry(ada, diary, "the deploy worked")
    found = await done(network, ada, "diary_search", query="failed deploys", tags=["ops"], explain=True)
    (entry,) = found["results"]
    assert entry["explanation"]["matchedWords"] == ["failed", "deploys"]
    assert entry["explanation"]["passage"]["text"] == "the deploy failed"
    assert [each["reason"] for each in found["left_out"]] == ["tags"]


async def test_an_explanation_is_not_for_anonymous_clients(network, ada):
    diary = await network.diary(ada, Visibility.PUBLIC)
    await network.entry(ada, diary, "the deploy failed")
    search = {"query": "deploy", "diary_ref": str(diary.id)}
    assert len((await done(network, None, "diary_search", **search))["results"]) == 1
    told = await refused(network, None, "diary_search", **search, explain=True)
    assert told["code"] == "UNAUTHORIZED"


async def test_a_search_keeps_to_times_and_to_the_least_score(network, ada):
    diary = str((await network.diary(ada)).id)
    for content, occurred_at in (("the deploy failed", "2026-01-05T09:00:00Z"), ("the deploy worked", None)):
        occurred = {"occurred_at": occurred_at} if occurred_at else {}
        await done(network, ada, "diary_create", diary_ref=diary, content=content, **occurred)
    for asked, contents in (
        ({"occurred_before": "2026-01-06T00:00:00Z"}, ["the deploy failed"]),
        ({"occurred_after": "2026-01-06T00:00:00Z"}, ["the deploy worked"]),
        ({"created_before": "2026-01-06T00:00:00Z"}, []),
        ({"min_score": 1}, []),
    ):
        found = await done(network, ada, "diary_search", query="deploy", **asked)
        assert [entry["content"] for entry in found["results"]] == contents, asked
    wrong = await told(network, ada, "diary_create", diary_ref=diary, content="x", occurred_at="2026-01-05T09:00:00")
    assert wrong.failed
    assert "occurred_at must be a time with its zone" in wrong.sentence


async def test_a_search_never_finds_what_is_others(network, ada, bob):
    await network.entry(bob, await network.diary(bob, Visibility.PUBLIC), "the deploy failed")
    assert (await done(network, ada, "diary_search", query="deploy"))["results"] == []


async def test_reflecting_keeps_to_a_budget_by_kind(network, ada):
    diary = await network.diary(ada)
    for number in range(5):
        await network.entry(ada, diary, f"{number} " * 100)
    told = await done(network, ada, "diary_reflect", diary_ref=str(diary.id), max_tokens=120)
    assert [group["entryType"] for group in told["digest"]["groups"]] == ["semantic"]
    assert 0 < len(told["digest"]["entries"]) < 5


async def test_reflecting_gives_a_digest(network, ada):
    diary = await network.diary(ada)
    await network.entry(ada, diary, "A day")
    digest = (await done(network, ada, "diary_reflect", diary_ref=str(diary.id), entry_types=["semantic"]))["digest"]
    assert list(digest) == ["entries", "totalEntries", "periodDays", "generatedAt"]
    assert set(digest["entries"][0]) == LISTED
    assert (digest["totalEntries"], digest["periodDays"]) == (1, 7)


async def test_a_diary_is_called_by_id_by_name_or_default(network, ada):
    private = await network.services.diaries.create(ada.caller, name="Private")
    work = await network.services.diaries.create(ada.caller, name="Work")
    await network.services.diaries.create(ada.caller, name="Private")
    for ref, diary in ((str(work.id), work), ("Work", work), ("default", private)):
        made = await done(network, ada, "diary_create", diary_ref=ref, content="x")
        assert made["entry"]["diaryId"] == str(diary.id)
    answer = await refused(network, ada, "diary_create", diary_ref="Private", content="x")
    assert (answer["error"], answer["status"]) == ("Failed to create entry", 400)
    assert "diaries_list" in answer["detail"]
    assert (await refused(network, ada, "diary_list", diary_ref="work"))["status"] == 404


async def test_names_reach_no_diary_of_others(network, ada, bob):
    shared = await network.services.diaries.create(bob.caller, name="Ours")
    await network.admit(shared, bob, ada)
    assert (await refused(network, ada, "diary_list", diary_ref="Ours"))["status"] == 404
    assert (await done(network, ada, "diary_list", diary_ref=str(shared.id)))["total"] == 0


@pytest.mark.parametrize("right", [True, False])
async def test_signing_from_the_request_to_the_verdict(network, ada, right):
    prepared = await done(network, ada, "crypto_prepare_signature", message="one\ntwo — ✓")
    assert list(prepared) == ["request_id", "message", "nonce", "signing_input", "status", "expires_at", "next_step"]
    assert "signing_payload" not in prepared
    assert "crypto_submit_signature" in prepared["next_step"]
    signed = base64.b64decode(prepared["signing_input"]) if right else b"something else"
    place, signature = {"request_id": prepared["request_id"]}, ada.key.sign(signed)
    standing = await done(network, ada, "crypto_signing_status", **place)
    assert (standing["status"], standing["valid"], standing["message"]) == ("pending", None, "one\ntwo — ✓")
    submitted = await done(network, ada, "crypto_submit_signature", **place, signature=signature)
    assert list(submitted) == ["request_id", "status", "valid", "message"]
    assert (submitted["status"], submitted["valid"]) == ("completed", right)
    assert ("verified" if right else "failed") in submitted["message"]
    assert (await done(network, None, "crypto_verify", signature=signature))["valid"] is right
    again = await refused(network, ada, "crypto_submit_signature", **place, signature=signature)
    assert (again["error"], again["status"]) == ("Failed to submit signature", 409)


async def test_a_request_whose_time_is_over_takes_no_signature(network, ada):
    prepared = await done(network, ada, "crypto_prepare_signature", message="x")
    network.clock.advance(timedelta(minutes=5))
    answer = await refused(
        network, ada, "crypto_submit_signature", request_id=prepared["request_id"], signature=ada.key.sign(b"x")
    )
    assert (answer["error"], answer["code"]) == ("Failed to submit signature", "SIGNING_REQUEST_EXPIRED")


def test_a_signature_that_is_still_being_checked_has_not_failed():
    assert _submitted(a_signing_request(), None)["message"] == VERIFICATION_PENDING


async def test_an_unknown_signature_is_simply_not_valid(network):
    assert (await done(network, None, "crypto_verify", signature="x" * 88))["valid"] is False


async def test_others_requests_are_not_found(network, ada, bob):
    prepared = await done(network, ada, "crypto_prepare_signature", message="x")
    answer = await refused(network, bob, "crypto_signing_status", request_id=prepared["request_id"])
    assert answer["error"] == "Signing request not found"


async def test_whoami_names_who_and_what_is_missing(network, ada):
    diary = await network.services.diaries.create(ada.caller, name="Private")
    fresh = await done(network, ada, "moltnet_whoami")
    assert fresh["identity"] == {
        "public_key": ada.key.public_key.text,
        "fingerprint": str(ada.fingerprint),
        "identity_id": str(ada.agent_id),
        "client_id": str(ada.caller.client_id),
        "proven": False,
    }
    assert fresh["profile"] == {"whoami": None, "soul": None}
    assert all(word in fresh["hint"] for word in ("whoami", "soul", "identity_bootstrap"))
    for kind in ("identity", "soul"):
        await done(
            network, ada, "diary_create", diary_ref=str(diary.id), content=kind, tags=["system", kind], entry_type=kind
        )
    known = await done(network, ada, "moltnet_whoami")
    assert [known["profile"][part]["content"] for part in ("whoami", "soul")] == ["identity", "soul"]
    assert "hint" not in known


async def test_whoami_shows_nobody_elses_self(network, ada, bob):
    diary = await network.diary(bob, Visibility.PUBLIC)
    await network.admit(diary, bob, ada)
    await done(
        network, bob, "diary_create", diary_ref=str(diary.id), content="Bob", tags=["system"], entry_type="identity"
    )
    assert (await done(network, ada, "moltnet_whoami"))["profile"]["whoami"] is None


async def test_whoami_never_fails(network):
    stranger = await network.member()
    nobody = await told(network, None, "moltnet_whoami")
    assert (nobody.members, nobody.failed) == ({"authenticated": False}, False)
    network.memory._committed.agents._rows.clear()
    gone = await done(network, stranger, "moltnet_whoami")
    assert gone == {"authenticated": False, "reason": "NOT_FOUND"}


async def test_an_agent_is_looked_up_in_any_case(network, ada):
    found = await done(network, None, "agent_lookup", fingerprint=str(ada.fingerprint).lower())
    told = {"public_key": ada.key.public_key.text, "fingerprint": str(ada.fingerprint), "proven": False}
    assert found == {"agent": told}
    for unknown in ("0000-0000-0000-0000", "{fingerprint}", "x"):
        answer = await refused(network, None, "agent_lookup", fingerprint=unknown)
        assert answer["error"] == f"Agent with fingerprint {unknown} not found"
        assert (answer["code"], answer["status"]) == ("NOT_FOUND", 404)


@pytest.mark.parametrize(
    ("tool", "given", "phrase"),
    [
        ("agent_lookup", {"fingerprint": "0000-0000-0000-0000"}, "Failed to look up agent 0000-0000-0000-0000"),
        ("diary_get", {"diary_ref": "Work", "entry_id": NOBODY}, "Failed to read entry"),
        ("diary_update", {"diary_ref": "Work", "entry_id": NOBODY}, "Failed to update entry"),
        ("diary_delete", {"diary_ref": "Work", "entry_id": NOBODY}, "Failed to delete entry"),
        ("diaries_get", {"diary_ref": "Work"}, "Failed to look at diary"),
    ],
)
async def test_what_could_not_be_asked_is_not_said_to_be_missing(network, ada, tool, given, phrase):
    for call in ("agents.find_by_fingerprint", "diaries.owned_by"):
        network.calls.before(call, [failing(StorageUnavailable())])
    answer = await refused(network, ada, tool, **given)
    assert (answer["error"], answer["code"], answer["status"]) == (phrase, "UPSTREAM_ERROR", 502)


@pytest.mark.parametrize("tool", ["diary_get", "diary_update", "diary_delete"])
async def test_an_entry_of_an_ambiguous_diary_is_not_said_to_be_missing(network, ada, tool):
    for _ in range(2):
        await network.services.diaries.create(ada.caller, name="Twice")
    answer = await refused(network, ada, tool, diary_ref="Twice", entry_id=NOBODY)
    assert (answer["status"], "not found" in answer["error"]) == (400, False)


async def test_a_hit_says_only_what_there_is_to_say(network, ada):
    diary = str((await network.diary(ada)).id)
    plain = await done(network, ada, "diary_create", diary_ref=diary, content="the deploy failed")
    full = await done(
        network,
        ada,
        "diary_create",
        diary_ref=diary,
        content="the deploy worked",
        title="Deploys",
        tags=["ops"],
        occurred_at="2026-01-31",
    )
    place = {"diary_ref": diary, "entry_id": full["entry"]["id"]}
    network.clock.advance(timedelta(minutes=1))
    await done(network, ada, "diary_update", **place, superseded_by=plain["entry"]["id"])
    hits = {each["id"]: each for each in (await done(network, ada, "diary_search", query="deploy"))["results"]}
    assert set(hits[plain["entry"]["id"]]) == HIT
    said = hits[full["entry"]["id"]]
    assert set(said) - HIT == {"title", "tags", "supersededBy", "updatedAt", "occurredAt"}
    assert said["author"] == {"fingerprint": str(ada.fingerprint)}
    assert all(round(each["score"], 3) == each["score"] for each in hits.values())
    there = await done(network, ada, "diary_search", query="deploy", diary_ref=diary, explain=True)
    assert not any("diaryId" in each for each in there["results"])
    told = there["results"][0]["explanation"]
    assert all(round(told[name], 3) == told[name] for name in ("cosine", "words"))
    for listing in (
        (await done(network, ada, "diary_list", diary_ref=diary))["items"],
        (await done(network, ada, "diary_reflect", diary_ref=diary))["digest"]["entries"],
    ):
        assert not any(value in (None, False) for each in listing for value in each.values())


async def test_hits_of_score_0_are_dropped(network, ada):
    diary = await network.diary(ada)
    wanted = await network.entry(ada, diary, "deploy")
    await network.entry(ada, diary, "zzzz")
    agent = visitor(network, ada).agent
    unfiltered = await agent.diary.search("deploy")
    assert 0 in {round(hit.score, 3) for hit in unfiltered.hits}
    found = await done(network, ada, "diary_search", query="deploy")
    assert [each["id"] for each in found["results"]] == [str(wanted.id)]
    assert found["total"] == 1
    unweighed = await done(network, ada, "diary_search", query="deploy", w_relevance=0)
    assert len(unweighed["results"]) == 2


async def test_vouching_and_who_vouched(network, ada):
    issued = await done(network, ada, "moltnet_vouch")
    assert list(issued["voucher"]) == ["code", "expiresAt", "issuedBy"]
    assert all(word in issued["instructions"] for word in ("Hand", "voucher_code", "24 hours", "single use"))
    assert (await done(network, ada, "moltnet_vouchers"))["vouchers"] == [issued["voucher"]]
    for _ in range(4):
        await done(network, ada, "moltnet_vouch")
    answer = await refused(network, ada, "moltnet_vouch")
    assert (answer["error"], answer["code"], answer["status"]) == ("Failed to issue voucher", "VOUCHER_LIMIT", 429)
    assert await done(network, None, "moltnet_trust_graph") == {"edges": []}


async def test_the_feed_is_browsed_read_and_searched_by_anyone(network, ada):
    diary = await network.diary(ada, Visibility.PUBLIC)
    for number in range(3):
        await network.entry(ada, diary, f"entry {number}", "t" if number else "")
    page = await done(network, None, "public_feed_browse", limit=2)
    assert [item["content"] for item in page["items"]] == ["entry 2", "entry 1"]
    assert [set(item) - {"tags"} for item in page["items"]] == [IN_FEED] * 2
    rest = await done(network, None, "public_feed_browse", cursor=page["nextCursor"])
    assert ([item["content"] for item in rest["items"]], rest["nextCursor"]) == (["entry 0"], None)
    assert len((await done(network, None, "public_feed_browse", tag="t"))["items"]) == 2
    read = await done(network, None, "public_feed_read", entry_id=page["items"][0]["id"])
    assert list(read) == READ_IN_FEED
    assert read["author"] == {"fingerprint": str(ada.fingerprint), "publicKey": ada.key.public_key.text}
    found = await done(network, None, "public_feed_search", query="entry", limit=1)
    assert (len(found["items"]), found["query"]) == (1, "entry")


async def test_the_network_describes_itself(network):
    info = await done(network, None, "moltnet_info")
    assert info["endpoints"]["mcp"]["url"].endswith("/mcp")
    assert "yet" not in info["endpoints"]["mcp"]["description"]


async def test_diaries_from_their_making_to_their_end(network, ada):
    made = (await done(network, ada, "diaries_create", name="Work"))["diary"]
    assert (made["name"], made["visibility"]) == ("Work", "private")
    assert await done(network, ada, "diaries_list") == {"diaries": [made], "items": [made]}
    assert (await done(network, ada, "diaries_get", diary_ref="Work"))["diary"] == made
    opened = (await done(network, ada, "diaries_update", diary_ref="Work", visibility="public"))["diary"]
    assert (opened["name"], opened["visibility"]) == ("Work", "public")
    assert (await done(network, ada, "diaries_delete", diary_ref="Work"))["success"] is True
    assert (await done(network, ada, "diaries_list"))["diaries"] == []


async def test_a_diary_is_shared_and_the_invitation_answered(network, ada, bob):
    diary = str((await network.diary(ada)).id)
    place = {"diary_ref": diary, "fingerprint": str(bob.fingerprint)}
    share = (await done(network, ada, "diary_share", **place, role="writer"))["share"]
    assert (share["status"], share["role"]) == ("pending", "writer")
    assert (await done(network, ada, "diary_list_shares", diary_ref=diary))["shares"] == [share]
    (invitation,) = (await done(network, bob, "invitations_list"))["invitations"]
    declined = await done(network, bob, "invitations_decline", invitation_id=invitation["id"])
    assert declined["invitation"]["status"] == "declined"
    await done(network, ada, "diary_share", **place, role="writer")
    accepted = await done(network, bob, "invitations_accept", invitation_id=invitation["id"])
    assert accepted["invitation"]["status"] == "accepted"
    await done(network, bob, "diary_create", diary_ref=diary, content="from Bob")
    await done(network, ada, "diary_unshare", **place)
    answer = await refused(network, bob, "diary_create", diary_ref=diary, content="again")
    assert (answer["error"], answer["status"]) == ("Failed to create entry", 404)


async def test_a_reader_who_writes_is_refused_by_name(network, ada, bob):
    diary = await network.diary(ada)
    await network.admit(diary, ada, bob)
    answer = await refused(network, bob, "diary_create", diary_ref=str(diary.id), content="x")
    assert (answer["error"], answer["code"], answer["status"]) == ("Failed to create entry", "FORBIDDEN", 403)


async def test_every_kind_of_memory_can_be_stored(network, ada):
    diary = str((await network.diary(ada)).id)
    for kind in EntryType:
        made = await done(network, ada, "diary_create", diary_ref=diary, content="x", entry_type=kind.value)
        assert made["entry"]["entryType"] == kind
