"""An entry that is asked for by its id, and one that an excluded word hid."""

import pytest

from moltnet.domain.diaries import Diary
from moltnet.domain.entries import EntryType
from moltnet.domain.search import Reason, Search, SearchResult
from tests.support.builders import an_id
from tests.support.network import Member, Network, a_network


@pytest.fixture
async def diary(network: Network, ada: Member) -> Diary:
    return await network.diary(ada)


async def found(network: Network, member: Member, query: str, **search: object) -> SearchResult:
    return await network.services.search.search(member.caller, Search(query=query, **search))  # type: ignore[arg-type]


async def test_entry_of_an_id_is_the_first(network: Network, ada: Member, diary: Diary) -> None:
    entries = [await network.entry(ada, diary, content) for content in ("one", "two", "three")]
    for entry in entries:
        bare = str(entry.id)
        forms = bare, f" {bare.upper()} ", f"{{{bare}}}", bare.replace("-", ""), f"see https://x.example/{bare}?a=1"
        for query in forms:
            result = await found(network, ada, query, limit=2)
            assert (result.hits[0].entry.id, result.hits[0].score, result.confident) == (entry.id, 1.0, True)
            assert [hit.entry.id for hit in result.hits].count(entry.id) == 1
            assert len(result.hits) <= 2
    explained = await found(network, ada, str(entries[0].id), explain=True)
    assert explained.hits[0].explanation is not None


async def test_of_several_ids_none_names_an_entry(network: Network, ada: Member, diary: Diary) -> None:
    entry = await network.entry(ada, diary, "heron")
    await network.entry(ada, diary, f"not {an_id()}")
    result = await found(network, ada, f"{entry.id} {an_id()}")
    assert [hit for hit in result.hits if hit.score == 1.0] == []


async def test_entry_of_an_id_is_not_found_where_nobody_may_look(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    entry = await network.entry(ada, diary, "one")
    other = await network.entry(bob, await network.diary(bob), "two")
    assert [hit.entry.id for hit in (await found(network, bob, str(entry.id))).hits] in ([], [other.id])
    assert entry.id not in [hit.entry.id for hit in (await found(network, bob, str(an_id()))).hits]
    filtered = await found(network, ada, str(entry.id), entry_types=frozenset({EntryType.SOUL}))
    assert filtered.hits == ()


async def test_the_best_that_an_excluded_word_hid_is_named(network: Network, ada: Member, diary: Diary) -> None:
    best = await network.entry(ada, diary, "deploy server staging")
    await network.entry(ada, diary, "deploy something else entirely on another day")
    result = await found(network, ada, "deploy server -staging")
    assert [(each.entry_id, each.reason) for each in result.left_out] == [(best.id, Reason.EXCLUDED)]
    assert best.id not in [hit.entry.id for hit in result.hits]
    assert result.left_out[0].score > (result.hits[0].score or 0)
    assert (await found(network, ada, "deploy server -staging", min_score=1.0)).left_out == ()


async def test_what_is_hidden_and_worse_is_not_named(network: Network, ada: Member, diary: Diary) -> None:
    await network.entry(ada, diary, "deploy server")
    await network.entry(ada, diary, "a staging area for boats and other things, deploy or not")
    assert (await found(network, ada, "deploy server -staging")).left_out == ()
    assert (await found(network, ada, "deploy server")).left_out == ()


async def test_without_a_model_half_of_the_words_are_needed_for_confidence() -> None:
    async with a_network(embedder=None) as network:
        ada = await network.member()
        await network.entry(ada, await network.diary(ada), "heron")
        assert (await found(network, ada, "heron")).confident
        assert not (await found(network, ada, "heron stork crane ibis")).confident
