"""Search and reflection (docs/reference/search.md, "Search" and "Reflection")."""

from uuid import uuid4

import pytest

from tests.integration.rest.members import ask

NO_DIARY = (404, "NOT_FOUND", "Diary not found or access denied")


async def found(agent, **search):
    reply = await agent.ask("POST", "/diaries/search", search)
    assert reply.status == 200, reply.json
    return [entry["content"] for entry in reply.json["results"]]


async def test_answer_has_its_members_in_order_and_says_how_it_was_found(ada):
    diary = await ada.diary()
    entry = await ada.entry(diary, "the harbour at dawn", importance=3)
    answer = await ada.ask("POST", "/diaries/search", {"query": "harbour"})
    assert list(answer.json) == ["results", "total", "searchType", "confident"]
    assert (answer.json["total"], answer.json["searchType"]) == (1, "hybrid")
    (found,) = answer.json["results"]
    assert 0 < found["score"] <= 1
    assert entry["author"] == {"fingerprint": ada.fingerprint, "publicKey": ada.key.public_key.text}
    assert found == {**entry, "score": found["score"]}
    listed = (await ada.ask("POST", "/diaries/search", {})).json
    assert listed == {"results": [entry], "total": 1, "searchType": "list"}


async def test_seeds_path_answers_the_same(ada):
    await ada.entry(await ada.diary(), "the harbour at dawn")
    body = {"query": "harbour", "limit": 5}
    both = [await ada.ask("POST", path, body) for path in ("/diaries/search", "/diary/search")]
    assert both[0].json["results"][0]["id"] == both[1].json["results"][0]["id"]


async def test_filters_hold(ada):
    diary = await ada.diary()
    await ada.entry(diary, "harbour one", tags=["sea", "work"], entryType="identity")
    await ada.entry(diary, "harbour two", tags=["sea"])
    assert await found(ada, query="harbour", tags=["sea", "work"]) == ["harbour one"]
    assert await found(ada, query="harbour", entryTypes=["identity", "soul"]) == ["harbour one"]
    assert await found(ada, tags="sea", limit=1, offset=1) == ["harbour one"]


async def test_without_a_diary_only_own_and_on_demand_shared_ones_are_looked_in(network, ada, bob):
    mine, theirs, public = await ada.diary(), await bob.diary(), await bob.diary(visibility="public")
    await ada.entry(mine, "harbour of mine")
    await bob.entry(theirs, "harbour shared")
    await bob.entry(public, "harbour of everyone")
    await bob.shares_with(ada, theirs)
    assert sorted(await found(ada, query="harbour")) == ["harbour of mine", "harbour shared"]
    assert await found(ada, query="harbour", includeShared=False) == ["harbour of mine"]
    assert await found(ada) == ["harbour of mine"]
    assert len(await found(ada, includeShared=True)) == 2
    assert (await ask(network.http, "POST", "/diaries/search", json={"query": "harbour"})).status == 401


async def test_one_diary_is_searched_by_any_agent_that_may_read_it(network, ada, bob):
    private, public = await ada.diary(), await ada.diary(visibility="public")
    await ada.entry(public, "harbour for everyone")
    for diary in (private, str(uuid4())):
        assert (await bob.ask("POST", "/diaries/search", {"diaryId": diary})).told == NO_DIARY
        assert (await ask(network.http, "POST", "/diaries/search", json={"diaryId": diary})).status == 401
    body = {"diaryId": public, "query": "harbour"}
    assert (await ask(network.http, "POST", "/diaries/search", json=body)).json["total"] == 1


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"query": None}, "body/query must NOT have fewer than 1 characters"),
        ({"query": "x" * 501}, "body/query must NOT have more than 500 characters"),
        ({"diaryId": None}, 'body/diaryId must match format "uuid"'),
        ({"tags": []}, "body/tags must NOT have fewer than 1 items"),
        ({"tags": [""]}, "body/tags/0 must NOT have fewer than 1 characters"),
        ({"entryTypes": []}, "body/entryTypes must NOT have fewer than 1 items"),
        ({"limit": 101}, "body/limit must be <= 100"),
        ({"wRecency": 1.1}, "body/wRecency must be <= 1"),
        ({"excludeSuperseded": "no"}, "body/excludeSuperseded must be boolean"),
        ([], "body must be object"),
    ],
)
async def test_search_out_of_form_is_refused(ada, body, detail):
    refused = await ada.ask("POST", "/diaries/search", body)
    assert refused.told == (400, "VALIDATION_FAILED", detail)
    assert refused.json["errors"]


async def test_reflection_shows_the_latest_without_what_was_superseded(ada):
    diary = await ada.diary()
    old, new = await ada.entry(diary, "old"), await ada.entry(diary, "new", tags=["t"], entryType="reflection")
    await ada.ask("PATCH", f"/diaries/{diary}/entries/{old['id']}", {"supersededBy": new["id"]})
    digest = (await ada.ask("GET", f"/diaries/reflect?diaryId={diary}&days=3")).json
    assert list(digest) == ["entries", "totalEntries", "periodDays", "generatedAt"]
    assert (digest["totalEntries"], digest["periodDays"]) == (1, 3)
    assert digest["entries"] == [
        {name: new[name] for name in ("id", "content", "tags", "importance", "entryType", "createdAt", "author")}
    ]
    assert (await ada.ask("GET", f"/diaries/reflect?diaryId={diary}&entryTypes=soul,identity")).json["entries"] == []


async def test_reflection_needs_a_diary_one_may_read(network, ada, bob):
    private = await ada.diary()
    assert (await bob.ask("GET", f"/diaries/reflect?diaryId={private}")).told == NO_DIARY
    assert (await ask(network.http, "GET", f"/diaries/reflect?diaryId={private}")).status == 401
    missing = await ada.ask("GET", "/diaries/reflect")
    assert missing.json["errors"] == [{"field": "diaryId", "message": "must have required property 'diaryId'"}]
    for query in ("days=0", "days=366", "maxEntries=201", "entryTypes=soul,%20identity", "entryTypes=x"):
        assert (await ada.ask("GET", f"/diaries/reflect?diaryId={private}&{query}")).status == 400
