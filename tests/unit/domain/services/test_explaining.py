"""Why entries are in an answer, and why others are not."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import attrs
import pytest
from dependency_injector import providers

from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.caller import ANONYMOUS
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import EntryEdit, NewEntry
from moltnet.domain.errors import Unauthenticated
from moltnet.domain.indexing import Term
from moltnet.domain.search import Reason, Search, SearchResult
from tests.support.builders import NOON
from tests.support.network import Member, Network, a_network

LONG = " ".join(f"word{number}" for number in range(150))


class Counted(SnowballAnalyzer):
    """Counts the texts it reads."""

    texts = 0

    def of_text(self, text: str) -> Mapping[Term, Sequence[int]]:
        self.texts += 1
        return super().of_text(text)


@pytest.fixture
async def diary(network: Network, ada: Member) -> Diary:
    return await network.diary(ada)


async def explained(network: Network, ada: Member, query: str, **more: object) -> SearchResult:
    search = Search(query=query, explain=True, **more)  # type: ignore[arg-type]
    return await network.services.search.search(ada.caller, search)


async def test_the_nearest_passage_of_a_long_entry_is_reported(network: Network, ada: Member, diary: Diary) -> None:
    entry = await network.entry(ada, diary, f"{LONG} the heron waits")
    (hit,) = (await explained(network, ada, "the heron waits")).hits
    assert hit.explanation is not None
    assert hit.explanation.passage is not None
    assert hit.explanation.passage.of(entry.content).endswith("the heron waits")
    assert "word0 " not in hit.explanation.passage.of(entry.content)
    assert hit.explanation.matched == ("heron", "waits")


@pytest.mark.parametrize("title", [None, "Of herons"])
async def test_a_passage_is_the_part_of_the_content_that_it_reads(
    network: Network, ada: Member, diary: Diary, title: str | None
) -> None:
    for content in (LONG, "y"):
        await network.services.entries.create(ada.caller, diary.id, NewEntry(content=content, title=title, tags=("x",)))
    parts = []
    for query, content in (("word0", LONG), ("word149", LONG), ("y", "y")):
        best = (await explained(network, ada, query)).hits[0]
        assert best.entry.content == content
        assert best.explanation is not None
        assert best.explanation.passage is not None
        parts.append(best.explanation.passage.of(content))
    assert parts[0].startswith("word0 ")
    assert parts[1].endswith(" word149")
    assert max(map(len, parts)) < len(LONG)
    assert parts[2] == "y"


async def test_nothing_of_a_stored_text_is_computed_again() -> None:
    index_terms = Counted()
    async with a_network(
        place=lambda container: container.index_terms.override(providers.Object(index_terms))
    ) as network:
        ada = await network.member()
        diary = await network.diary(ada)
        for content in ("heron in the fog", "heron", "stork"):
            await network.entry(ada, diary, content)
        read = index_terms.texts
        result = await explained(network, ada, "heron -fog")
        assert (result.hits, result.left_out) != ((), ())
        assert index_terms.texts == read


async def test_an_explanation_needs_an_agent(network: Network, ada: Member) -> None:
    diary = await network.diary(ada, Visibility.PUBLIC)
    await network.entry(ada, diary, "heron")
    asked = Search(query="heron", diary_id=diary.id)
    assert len((await network.services.search.search(ANONYMOUS, asked)).hits) == 1
    with pytest.raises(Unauthenticated):
        await network.services.search.search(ANONYMOUS, attrs.evolve(asked, explain=True))
    with pytest.raises(Unauthenticated):
        await network.services.search.search(ANONYMOUS, attrs.evolve(asked, explain=True, query=None))


async def test_each_side_has_its_rank(network: Network, ada: Member, diary: Diary) -> None:
    for content in ("heron", "heron heron stork", "something else"):
        await network.entry(ada, diary, content)
    why = [hit.explanation for hit in (await explained(network, ada, "heron")).hits]
    assert [each and each.cosine_rank for each in why] == [1, 2, 3]
    assert [each and each.words_rank for each in why][2] is None
    assert [each and each.matched for each in why] == [("heron",), ("heron",), ()]


@pytest.mark.parametrize(
    ("query", "filter_", "reason"),
    [
        ("heron", {"tags": ("x",)}, Reason.TAGS),
        ("heron -fog", {}, Reason.EXCLUDED),
        ("heron +stork", {}, Reason.REQUIRED),
        ('heron "fog heron"', {}, Reason.REQUIRED),
        ("heron", {"created_before": NOON}, Reason.CREATED),
        ("heron", {"occurred_after": NOON}, Reason.OCCURRED),
        ("heron", {"exclude_superseded": True}, Reason.SUPERSEDED),
    ],
)
async def test_what_left_an_entry_out_is_reported(
    network: Network, ada: Member, diary: Diary, *, query: str, filter_: dict[str, object], reason: Reason
) -> None:
    new = NewEntry(content="heron in the fog", occurred_at=NOON - timedelta(days=9))
    entry = await network.services.entries.create(ada.caller, diary.id, new)
    if reason is Reason.SUPERSEDED:
        other = await network.entry(ada, diary, "nothing alike")
        await network.services.entries.update(ada.caller, diary.id, entry.id, EntryEdit(superseded_by=other.id))
    result = await explained(network, ada, query, **filter_)
    assert entry.id not in {hit.entry.id for hit in result.hits}
    assert [(each.entry_id, each.reason) for each in result.left_out if each.entry_id == entry.id] == [
        (entry.id, reason)
    ]


async def test_the_least_score_leaves_out_and_nothing_else_is_reported(
    network: Network, ada: Member, diary: Diary
) -> None:
    for content in ("heron", "stork"):
        await network.entry(ada, diary, content)
    result = await explained(network, ada, "heron", min_score=0.3, w_importance=1.0, w_relevance=0.9)
    assert [each.reason for each in result.left_out] == [Reason.MIN_SCORE] * (2 - len(result.hits))
    assert all(each.score < 0.3 for each in result.left_out)
    assert (await explained(network, ada, "heron")).left_out == ()


async def test_confidence_is_that_of_the_best(network: Network, ada: Member, diary: Diary) -> None:
    await network.entry(ada, diary, "The heron waits in the fog")
    assert (await explained(network, ada, "heron in the fog")).confident is True
    assert (await explained(network, ada, "qwfp zxcv")).confident is False
