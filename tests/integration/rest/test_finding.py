"""Scores, explanations, times, repeats and digests within a budget: what is beyond the original's answers."""

import asyncio

import pytest

from moltnet.adapters.memory.embedding import MemoryEmbedder

DAY = "2023-05-08T10:00:00Z"


@pytest.fixture
async def diary(ada):
    return await ada.diary()


async def searched(agent, **search):
    reply = await agent.ask("POST", "/diaries/search", search)
    assert reply.status == 200, reply.json
    return reply.json


def contents(answer):
    return [entry["content"] for entry in answer["results"]]


# Scores


async def test_only_what_scores_enough_is_reported(ada, diary):
    await ada.entry(diary, "the harbour at dawn")
    await ada.entry(diary, "something else entirely")
    scores = [entry["score"] for entry in (await searched(ada, query="harbour"))["results"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert contents(await searched(ada, query="harbour", minScore=scores[0])) == ["the harbour at dawn"]
    assert (await searched(ada, query="harbour", minScore=1))["results"] == []


async def test_an_answer_says_whether_it_looks_like_one(ada, diary):
    await ada.entry(diary, "the harbour at dawn")
    assert (await searched(ada, query="harbour at dawn"))["confident"] is True
    assert (await searched(ada, query="qwfp zxcv"))["confident"] is False
    assert (await searched(ada, query="harbour", diaryId=await ada.diary()))["confident"] is False


async def test_an_answer_explains_itself(ada, diary):
    found = await ada.entry(diary, "The harbour at dawn", title="Boats")
    tagged = await ada.entry(diary, "The harbour at noon", tags=["x"])
    excluded = await ada.entry(diary, "The harbour in the storm")
    plain = await searched(ada, query="harbour boats -storm")
    assert "leftOut" not in plain
    assert "explanation" not in plain["results"][0]
    answer = await searched(ada, query="harbour boats -storm", explain=True, minScore=0.45)
    (hit,) = answer["results"]
    told = hit["explanation"]
    assert (hit["id"], told["matchedWords"]) == (found["id"], ["harbour", "boats"])
    assert (told["cosineRank"], told["wordsRank"], told["timely"]) == (1, 1, False)
    assert told["passage"] == {"start": 0, "end": 19, "text": "The harbour at dawn"}
    model = MemoryEmbedder()
    added = told["cosine"] * (1 + model.expansion_weight * told["expansion"]) + model.words_weight * told["words"]
    assert hit["score"] == pytest.approx(added / (1 + model.words_weight + model.expansion_weight))
    assert {each["id"]: each["reason"] for each in answer["leftOut"]} == {
        tagged["id"]: "minScore",
        excluded["id"]: "excludedWords",
    }
    filtered = await searched(ada, query="harbour -storm", explain=True, tags=["x"])
    assert {each["id"]: each["reason"] for each in filtered["leftOut"]} == {
        found["id"]: "tags",
        excluded["id"]: "tags",
    }


async def test_an_explanation_needs_a_token(network, ada, diary):
    public = await ada.diary(visibility="public")
    await ada.entry(public, "the harbour at dawn")
    search = {"query": "harbour", "diaryId": public}
    assert (await network.http.post("/diaries/search", json=search)).status == 200
    for where in (public, diary):
        refused = await network.http.post("/diaries/search", json={**search, "diaryId": where, "explain": True})
        assert (refused.status, (await refused.json())["code"]) == (401, "UNAUTHORIZED")
    assert "explanation" in (await searched(ada, **search, explain=True))["results"][0]


async def test_what_was_left_out_is_reported_to_nobody_who_may_not_read_it(ada, bob, diary):
    await ada.entry(diary, "the harbour at dawn", tags=["x"])
    public = await ada.diary(visibility="public")
    await ada.entry(public, "the harbour for everyone", tags=["x"])
    answer = await searched(bob, query="harbour", tags=["y"], explain=True, diaryId=public)
    assert [each["reason"] for each in answer["leftOut"]] == ["tags"]
    assert "leftOut" not in await searched(bob, query="harbour", tags=["y"], explain=True)


async def test_exclusions_alone_list_the_newest(ada, diary):
    for content in ("harbour one", "storm", "harbour two"):
        await ada.entry(diary, content)
    answer = await searched(ada, query="-storm")
    assert (contents(answer), answer["searchType"]) == (["harbour two", "harbour one"], "list")


@pytest.mark.parametrize("query", ['"', "-", '-"', '+-"" "-', "\u200b", "((|&!", "':*", "\\", "a" * 500, "- " * 250])
async def test_no_query_is_an_error(ada, diary, query):
    await ada.entry(diary, "the harbour at dawn")
    await searched(ada, query=query, explain=True)


# Times


async def test_a_memory_says_when_it_happened(ada, diary):
    made = await ada.entry(diary, "lunch", occurredAt="2023-05-08T12:00:00+02:00")
    assert made["occurredAt"] == "2023-05-08T10:00:00.000Z"
    one = f"/diaries/{diary}/entries/{made['id']}"
    assert (await ada.ask("GET", one)).json["occurredAt"] == made["occurredAt"]
    changed = await ada.ask("PATCH", one, {"occurredAt": "2024-01-01T00:00:00Z"})
    assert changed.json["occurredAt"] == "2024-01-01T00:00:00.000Z"
    assert "occurredAt" not in await ada.entry(diary, "no time")


async def test_a_time_in_the_query_lifts_what_happened_then(ada, diary):
    for year in (2021, 2023, 2022):
        await ada.entry(diary, "lunch with Mara", occurredAt=f"{year}-05-08T10:00:00Z")
    answer = await searched(ada, query="lunch in May 2023", explain=True)
    assert answer["results"][0]["occurredAt"][:4] == "2023"
    assert [entry["explanation"]["timely"] for entry in answer["results"]] == [True, False, False]


async def test_times_are_filtered_by(ada, diary):
    await ada.entry(diary, "harbour then", occurredAt=DAY)
    await ada.entry(diary, "harbour now")
    for query in ({"query": "harbour"}, {}):
        assert contents(await searched(ada, **query, occurredBefore="2024-01-01T00:00:00Z")) == ["harbour then"]
        assert contents(await searched(ada, **query, occurredAfter="2024-01-01T00:00:00Z")) == ["harbour now"]
        assert contents(await searched(ada, **query, occurredAfter=DAY, occurredBefore=DAY)) == []
        assert len(contents(await searched(ada, **query, createdAfter="2024-01-01T00:00:00Z"))) == 2
        assert contents(await searched(ada, **query, createdBefore="2024-01-01T00:00:00Z")) == []


@pytest.mark.parametrize("at", ["", "yesterday", "2023-05-08", "2023-02-30T00:00:00Z", 5, [], {}, "\x00"])
async def test_a_time_that_is_none_is_refused(ada, diary, at):
    for path, body in (
        (f"/diaries/{diary}/entries", {"content": "x", "occurredAt": at}),
        ("/diaries/search", {"createdAfter": at}),
    ):
        refused = await ada.ask("POST", path, body)
        assert (refused.status, refused.json["code"]) == (400, "VALIDATION_FAILED")


# Repeats


async def test_a_repeat_is_answered_with_the_first_on_demand(ada, bob, diary):
    body = {"content": "The harbour, at dawn.", "title": "Boats"}
    first = await ada.entry(diary, **body)
    again = {"content": "the harbour at DAWN", "title": "boats!"}
    stored = await ada.entry(diary, **again)
    assert stored["id"] != first["id"]
    assert stored["similar"][0]["id"] == first["id"]
    answer = await ada.ask("POST", f"/diaries/{diary}/entries", {**again, "ifDuplicate": "return"})
    assert (answer.status, answer.json["id"], answer.json["duplicateOf"]) == (200, first["id"], first["id"])
    assert answer.json["content"] == body["content"]
    other = await ada.ask("POST", f"/diaries/{diary}/entries", {**again, "title": "Ships", "ifDuplicate": "return"})
    assert (other.status, "duplicateOf" in other.json) == (201, False)
    refused = await ada.ask("POST", f"/diaries/{diary}/entries", {**again, "ifDuplicate": "merge"})
    assert refused.status == 400
    assert (await bob.ask("POST", f"/diaries/{diary}/entries", {**again, "ifDuplicate": "return"})).status in {403, 404}


async def test_of_repeats_at_once_one_is_stored(ada, diary):
    body = {"content": "once", "ifDuplicate": "return"}
    answers = await asyncio.gather(*(ada.ask("POST", f"/diaries/{diary}/entries", body) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert (await ada.ask("GET", f"/diaries/{diary}/entries")).json["total"] == 1


async def test_a_repeat_under_a_key_is_answered_alike_again(ada, diary):
    await ada.entry(diary, "once")
    body, key = {"content": "once", "ifDuplicate": "return"}, {"Idempotency-Key": "k"}
    both = [await ada.ask("POST", f"/diaries/{diary}/entries", body, headers=key) for _ in range(2)]
    assert [each.status for each in both] == [200, 200]
    assert both[0].json == both[1].json


# Reflection


async def test_reflection_fits_a_budget_by_type_the_most_important_first(ada, diary):
    for importance, entry_type in ((3, "semantic"), (9, "episodic"), (5, "soul"), (9, "semantic"), (1, "soul")):
        await ada.entry(
            diary, f"{importance} {entry_type} ".ljust(40, "x"), importance=importance, entryType=entry_type
        )
    digest = (await ada.ask("GET", f"/diaries/reflect?diaryId={diary}&maxTokens=30")).json
    assert [(each["importance"], each["entryType"]) for each in digest["entries"]] == [
        (5, "soul"),
        (9, "semantic"),
        (9, "episodic"),
    ]
    assert digest["groups"] == [
        {"entryType": entry_type, "count": 1, "tokens": 10} for entry_type in ("soul", "semantic", "episodic")
    ]
    assert digest["totalEntries"] == 3
    for wrong in ("0", "x", "1000001"):
        assert (await ada.ask("GET", f"/diaries/reflect?diaryId={diary}&maxTokens={wrong}")).status == 400
