"""Versions and conditional changes over REST (RFC 9110 §8.8.3 and §13.1.1; ADR-11)."""

import asyncio
import re
from collections import Counter
from uuid import uuid4

import pytest
from multidict import CIMultiDict

from tests.integration.rest.members import ask

STALE = (412, "CONFLICT", "It was changed since you read it; read it again and repeat the change")
MALFORMED = (400, "VALIDATION_FAILED", 'If-Match must be "*" or a list of entity tags')
TIMES = 20


@pytest.fixture
async def diary(ada):
    """The path of a diary."""
    return f"/diaries/{await ada.diary()}"


@pytest.fixture
async def entry(ada, diary):
    """The path of an entry in it."""
    return f"{diary}/entries/{(await ada.entry(diary.removeprefix('/diaries/')))['id']}"


@pytest.fixture(params=["diary", "entry"])
def thing(request, diary, entry):
    """The path of either."""
    return {"diary": diary, "entry": entry}[request.param]


def edit_of(thing, text):
    return {"content": text} if "/entries/" in thing else {"name": text}


async def tag_of(member, thing):
    return (await member.ask("GET", thing)).headers["ETag"]


async def change(member, method, thing, *tags, text="changed"):
    headers = CIMultiDict([("Authorization", f"Bearer {member.token}"), *(("If-Match", tag) for tag in tags)])
    body = {"json": edit_of(thing, text)} if method == "PATCH" else {}
    return await ask(member.http, method, thing, headers=headers, **body)


async def texts(member, thing):
    read = (await member.ask("GET", thing)).json
    return read.get("content") or read["name"]


async def test_thing_is_returned_with_its_version_in_every_form(ada, diary):
    made = await ada.ask("POST", "/diaries", {"name": "new"})
    memory = await ada.ask("POST", f"{diary}/entries", {"content": "new"})
    for created, path in ((made, f"/diaries/{made.json['id']}"), (memory, f"{diary}/entries/{memory.json['id']}")):
        assert re.fullmatch(r'"[\x21\x23-\x7e]+"', created.headers["ETag"])
        assert await tag_of(ada, path) == created.headers["ETag"]
        async with ada.http.head(path, headers={"Authorization": f"Bearer {ada.token}"}) as head:
            assert head.headers["ETag"] == created.headers["ETag"]
    assert made.headers["ETag"] != memory.headers["ETag"]


async def test_every_edit_makes_another_version(ada, thing):
    tags = [await tag_of(ada, thing)]
    for _ in range(5):
        edited = await ada.ask("PATCH", thing, {})
        tags.append(edited.headers["ETag"])
        assert await tag_of(ada, thing) == tags[-1]
    assert len(set(tags)) == len(tags)


async def test_looking_makes_no_other_version(ada, entry):
    tag = await tag_of(ada, entry)
    async with asyncio.timeout(10):
        while not (seen := await ada.ask("GET", entry)).json["accessCount"]:
            pass
    assert seen.headers["ETag"] == tag


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_version_that_was_read_can_be_changed(ada, thing, method):
    told = await change(ada, method, thing, await tag_of(ada, thing))
    assert told.status == 200
    assert (await ada.ask("GET", thing)).status == (200 if method == "PATCH" else 404)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_version_that_is_no_more_is_not_changed(ada, thing, method):
    old = await tag_of(ada, thing)
    await change(ada, "PATCH", thing, text="somebody else's")
    refused = await change(ada, method, thing, old)
    assert refused.told == STALE
    assert refused.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert (refused.json["type"], refused.json["title"]) == ("https://themolt.net/problems/conflict", "Conflict")
    assert refused.json["instance"] == thing
    assert await texts(ada, thing) == "somebody else's"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda _: ["*"],
        lambda tag: [f'"other", {tag}'],
        lambda tag: [f",{tag} ,,"],
        lambda tag: ['"other"', tag],
        lambda tag: [f"W/{tag}, {tag}"],
    ],
)
async def test_any_version_or_one_of_several_may_be_named(ada, thing, wrap):
    assert (await change(ada, "PATCH", thing, *wrap(await tag_of(ada, thing)))).status == 200


@pytest.mark.parametrize(
    "wrap",
    [lambda tag: f"W/{tag}", lambda _: '"other"', lambda _: '""', lambda _: '"*"', lambda tag: f'{tag[:-1]}0"'],
)
async def test_weak_and_foreign_tags_never_fit(ada, thing, wrap):
    tag = wrap(await tag_of(ada, thing))
    assert (await change(ada, "PATCH", thing, tag)).told == STALE
    assert (await change(ada, "DELETE", thing, tag)).told == STALE


async def test_tag_of_one_thing_does_not_fit_another(ada, diary, entry):
    assert (await change(ada, "PATCH", diary, await tag_of(ada, entry))).told == STALE
    assert (await change(ada, "PATCH", entry, await tag_of(ada, diary))).told == STALE


@pytest.mark.parametrize("lines", [[""], [","], ["abc"], ['"a'], ['"a" "b"'], ["*, *"], ['"a"', "*"], ['w/"a"']])
async def test_malformed_condition_is_refused(ada, thing, lines):
    for method in ("PATCH", "DELETE"):
        assert (await change(ada, method, thing, *lines)).told == MALFORMED
    assert await texts(ada, thing) != "changed"


async def test_condition_reveals_to_nobody_more_than_they_may_know(network, ada, bob, thing):
    missing = re.sub("[0-9a-f-]{36}$", str(uuid4()), thing)
    for method in ("PATCH", "DELETE"):
        for tag in ("*", '"other"', await tag_of(ada, thing)):
            told = [await change(bob, method, path, tag) for path in (thing, missing)]
            assert [each.status for each in told] == [404, 404]
            assert told[0].told == told[1].told
            assert (await change(ada, method, missing, tag)).status == 404
            refused = await ask(network.http, method, thing, headers={"If-Match": tag}, json=edit_of(thing, "x"))
            assert refused.status == 401


async def test_right_comes_before_the_version(ada, bob, thing):
    await ada.shares_with(bob, thing.split("/")[2])
    assert await tag_of(bob, thing) == await tag_of(ada, thing)
    for method in ("PATCH", "DELETE"):
        for tag in ('"other"', await tag_of(bob, thing)):
            assert (await change(bob, method, thing, tag)).status == 403


async def test_version_comes_before_what_the_edit_says(ada, entry):
    too_long = await change(ada, "PATCH", entry, '"other"', text="x" * 10_001)
    assert too_long.told == STALE


async def test_of_twenty_edits_of_one_version_one_is_stored(ada, thing):
    tag = await tag_of(ada, thing)
    told = await asyncio.gather(*(change(ada, "PATCH", thing, tag, text=f"edit {each}") for each in range(TIMES)))
    assert Counter(each.status for each in told) == {200: 1, 412: TIMES - 1}
    (kept,) = [each for each in told if each.status == 200]
    assert await tag_of(ada, thing) == kept.headers["ETag"]
    assert await texts(ada, thing) in kept.json.values()


async def test_edits_of_a_diary_that_name_no_version_are_all_stored(ada, diary):
    edits = [{"name": "renamed"}, {"visibility": "public"}, *[{}] * TIMES]
    told = await asyncio.gather(*(ada.ask("PATCH", diary, edit) for edit in edits))
    assert {each.status for each in told} == {200}
    left = (await ada.ask("GET", diary)).json
    assert (left["name"], left["visibility"]) == ("renamed", "public")
