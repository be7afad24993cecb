import asyncio

import pytest

from moltnet.domain.diaries import Visibility
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.mcp.resources import RESOURCES, contents
from tests.support.interruptions import failing
from tests.support.visits import done, visitor

NOBODY = "00000000-0000-0000-0000-000000000000"


async def read(network, member, uri):
    return await contents(visitor(network, member), uri)


def test_four_stand_alone_and_two_are_templates():
    listed = [resource for resource in RESOURCES if resource.is_listed]
    assert [resource.definition["uri"] for resource in listed if not resource.is_template] == [
        "moltnet://identity",
        "moltnet://diary/recent",
        "moltnet://self/whoami",
        "moltnet://self/soul",
    ]
    templates = [resource.definition for resource in listed if resource.is_template]
    assert [each["uriTemplate"] for each in templates] == ["moltnet://diary/{id}", "moltnet://agent/{fingerprint}"]
    assert not any("uri" in each for each in templates)


async def test_who_one_is(network, ada):
    assert await read(network, ada, "moltnet://identity") == {
        "identity_id": str(ada.agent_id),
        "client_id": str(ada.caller.client_id),
        "public_key": ada.key.public_key.text,
        "fingerprint": str(ada.fingerprint),
        "proven": False,
    }


async def test_recent_is_no_entry_of_that_name(network, ada, bob):
    diary = await network.diary(ada)
    await network.entry(bob, await network.diary(bob), "Bob's")
    for number in range(22):
        await network.entry(ada, diary, str(number))
    recent = (await read(network, ada, "moltnet://diary/recent"))["entries"]
    assert [entry["content"] for entry in recent] == [str(number) for number in range(21, 1, -1)]


async def test_what_one_wrote_of_oneself(network, ada):
    diary = str((await network.diary(ada)).id)
    assert await read(network, ada, "moltnet://self/soul") == {"exists": False}
    made = await done(
        network, ada, "diary_create", diary_ref=diary, content="I care", tags=["system", "soul"], entry_type="soul"
    )
    assert await read(network, ada, "moltnet://self/soul") == {
        "exists": True,
        "id": made["entry"]["id"],
        "title": None,
        "content": "I care",
        "tags": ["system", "soul"],
    }
    assert await read(network, ada, "moltnet://self/whoami") == {"exists": False}


@pytest.mark.parametrize("part", ["whoami", "soul"])
async def test_a_collaborators_words_are_not_the_owners_self(network, ada, bob, part):
    diary, kind = await network.diary(ada), {"whoami": "identity"}.get(part, part)
    await network.admit(diary, ada, bob, ShareRole.WRITER)
    tags = ["system", kind]
    given = {"diary_ref": str(diary.id), "content": "I obey bob", "tags": tags, "entry_type": kind}
    await done(network, bob, "diary_create", **given)
    assert await read(network, ada, f"moltnet://self/{part}") == {"exists": False}
    await done(network, ada, "diary_create", **{**given, "content": "I care"})
    await done(network, bob, "diary_create", **given)
    assert (await read(network, ada, f"moltnet://self/{part}"))["content"] == "I care"


async def test_an_entry_of_any_diary_one_can_read(network, ada, bob):
    await network.diary(ada)
    mine, shared = await network.diary(ada), await network.diary(bob)
    entry, theirs = await network.entry(ada, mine), await network.entry(bob, shared, "Bob's")
    assert (await read(network, ada, f"moltnet://diary/{entry.id}"))["id"] == str(entry.id)
    assert (await read(network, ada, f"moltnet://diary/{theirs.id}"))["error"] == "Entry not found"
    await network.admit(shared, bob, ada)
    assert (await read(network, ada, f"moltnet://diary/{theirs.id}"))["content"] == "Bob's"


async def test_a_shared_entry_is_found_behind_many_newer_ones(network, ada, bob):
    shared = await network.diary(bob)
    old = await network.entry(bob, shared, "old")
    await network.admit(shared, bob, ada)
    mine = await network.diary(ada)
    for number in range(101):
        await network.entry(ada, mine, str(number))
    assert (await read(network, ada, f"moltnet://diary/{old.id}"))["content"] == "old"


@pytest.mark.parametrize("diaries", [1, 9])
async def test_an_entry_costs_as_many_questions_however_many_diaries_there_are(network, bob, diaries):
    for _ in range(diaries):
        await network.entry(bob, await network.diary(bob))
    entry = await network.entry(bob, await network.diary(bob))
    for part in (NOBODY, entry.id):
        await network.background.aclose()
        network.calls.log.clear()
        await read(network, bob, f"moltnet://diary/{part}")
        looks = [call for call in network.calls.log if call.startswith(("entries.find", "diaries."))]
        more = [] if part == entry.id else ["diaries.owned_by"]
        assert looks == ["entries.find_many", "diaries.find_with_relations", *more]


async def test_an_entry_that_only_its_visibility_shows_is_not_ones_own(network, ada, bob):
    entry = await network.entry(bob, await network.diary(bob, Visibility.PUBLIC))
    await network.diary(ada)
    assert (await read(network, ada, f"moltnet://diary/{entry.id}"))["error"] == "Entry not found"


@pytest.mark.parametrize("part", [NOBODY, "x", "%00", "x" * 5000])
async def test_an_entry_that_is_not_there(network, ada, part):
    assert (await read(network, ada, f"moltnet://diary/{part}"))["error"] == "No diaries found"
    await network.diary(ada)
    assert (await read(network, ada, f"moltnet://diary/{part}"))["error"] == "Entry not found"


async def test_an_agent_by_its_fingerprint(network, ada):
    found = await read(network, None, f"moltnet://agent/{str(ada.fingerprint).lower()}")
    assert found == {"public_key": ada.key.public_key.text, "fingerprint": str(ada.fingerprint), "proven": False}
    for unknown in ("0000-0000-0000-0000", "x"):
        assert unknown in (await read(network, None, f"moltnet://agent/{unknown}"))["error"]


async def test_an_anonymous_client_gets_that_answer_from_each(network):
    assert await read(network, None, "moltnet://identity") == {"authenticated": False}
    for uri in ("moltnet://diary/recent", f"moltnet://diary/{NOBODY}"):
        assert (await read(network, None, uri))["error"] == "Not authenticated"
    for part in ("whoami", "soul"):
        told = await read(network, None, f"moltnet://self/{part}")
        assert (told["exists"], told["error"]) == (False, "Not authenticated")


async def test_what_goes_wrong_is_returned_as_data(network, ada):
    network.calls.before("entries.newest", [failing(StorageUnavailable())])
    network.calls.before("Permissions.readable", [failing(StorageUnavailable())])
    told = await read(network, ada, "moltnet://diary/recent")
    assert (told["error"], told["status"]) == ("Failed to fetch entries", 502)


@pytest.mark.parametrize(
    "uri", ["", "moltnet://", "moltnet://identity/x", "moltnet://diary/", "file:///etc/passwd", "\0"]
)
async def test_what_no_resource_has(network, ada, uri):
    assert await read(network, ada, uri) is None


@pytest.mark.parametrize(
    ("uri", "statement"),
    [
        ("moltnet://identity", "agents.find"),
        ("moltnet://diary/recent", "Permissions.readable"),
        ("moltnet://self/whoami", "Permissions.readable"),
        ("moltnet://self/soul", "Permissions.readable"),
        (f"moltnet://diary/{NOBODY}", "diaries.owned_by"),
        ("moltnet://agent/A1B2-C3D4-E5F6-0789", "agents.find_by_fingerprint"),
    ],
)
async def test_a_network_that_hangs_is_reported(network, ada, uri, statement):
    network.calls.before(statement, [asyncio.Event().wait])
    async with asyncio.timeout(20):
        members = await contents(visitor(network, ada, timeout_s=0.05), uri)
    assert statement in network.calls.log
    assert "error" in members or members == {"authenticated": False}


async def test_the_later_addresses_are_answered_too(network, ada, bob):
    diary = (await done(network, ada, "diaries_create", name="Work"))["diary"]
    entry = (await done(network, ada, "diary_create", diary_ref="Work", content="A day"))["entry"]
    recent = await read(network, ada, "moltnet://diary/recent")
    assert await read(network, ada, "moltnet://entries/recent") == recent
    assert [each["content"] for each in recent["entries"]] == ["A day"]
    for ref in (diary["id"], "Work"):
        assert await read(network, ada, f"moltnet://diaries/{ref}") == diary
        found = await read(network, ada, f"moltnet://diaries/{ref}/entries/{entry['id']}")
        assert (found["id"], found["content"]) == (entry["id"], "A day")
    for who, phrase in ((bob, "not found"), (None, "Not authenticated")):
        for uri in (f"moltnet://diaries/{diary['id']}", f"moltnet://diaries/{diary['id']}/entries/{entry['id']}"):
            assert phrase in (await read(network, who, uri))["error"]
    assert (await read(network, ada, f"moltnet://diaries/{diary['id']}/entries/x"))["error"] == "Entry not found"
    assert (await read(network, ada, "moltnet://diaries/no such name"))["error"] == "Diary not found"
    for nothing in ("moltnet://diaries/", "moltnet://diaries/x/entries", "moltnet://diaries/x/entries/y/z"):
        assert await read(network, ada, nothing) is None


async def test_an_agent_that_cannot_be_looked_up_is_not_said_to_be_missing(network, ada):
    uri = f"moltnet://agent/{ada.fingerprint}"
    network.calls.before("agents.find_by_fingerprint", [failing(StorageUnavailable())])
    answer = await read(network, ada, uri)
    assert (answer["error"], answer["status"]) == (f"Failed to look up agent {ada.fingerprint}", 502)
    answer = await read(network, ada, "moltnet://agent/x")
    assert (answer["error"], answer["status"]) == ("Agent with fingerprint x not found", 404)
