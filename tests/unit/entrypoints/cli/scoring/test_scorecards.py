"""Rankings of a small network in memory, and the figures they come to."""

import pytest

from moltnet.domain.indexing import EmbedderUnavailable
from moltnet.entrypoints.cli.scoring.rankings import Asker, MemoryQuestion, Ranked, parse
from moltnet.entrypoints.cli.scoring.scorecards import scorecard
from tests.support.network import a_network

SET = (
    '{"entry": "heron", "content": "The heron waits in the fog"}',
    '{"entry": "stork", "content": "A stork stands on one leg"}',
    '{"entry": "fog", "content": "Fog everywhere, and nothing else"}',
    '{"query": "heron in the fog", "relevant": ["heron", "fog"], "kind": "bird"}',
    '{"query": "stork -leg", "relevant": ["heron"]}',
    '{"query": "crane", "relevant": []}',
)


def ranked(own: str, other: str, relevant: str, kind: str | None = None, seconds: float = 0.01) -> Ranked:
    question = MemoryQuestion("q", dict.fromkeys(relevant, 1.0), kind)
    return Ranked(question, {"moltnet": list(own), "words": list(other)}, seconds)


async def test_every_ranking_answers_from_the_same_diary() -> None:
    steps: list[None] = []
    async with a_network() as network:
        member = await network.member()
        memories = parse(SET)
        asker = await Asker.prepared(network.services, member.caller, memories, lambda: steps.append(None))
        answers = [(await asker.ask(question)).answers for question in memories.questions]
    assert len(steps) == 3
    assert answers[0].keys() == {"moltnet", "vectors", "words", "expansion", "rrf"}
    assert answers[0]["moltnet"][:2] == ["heron", "fog"]
    assert answers[0]["words"] == ["heron", "fog"]
    assert answers[0]["expansion"][0] == "heron"
    assert {*answers[0]["vectors"]} == {*answers[0]["rrf"]} == {"heron", "stork", "fog"}
    assert all("stork" not in ranking for ranking in answers[1].values())  # what is excluded is so everywhere


async def test_without_a_model_there_is_nothing_to_measure() -> None:
    async with a_network(embedder=None) as network:
        member = await network.member()
        with pytest.raises(EmbedderUnavailable):
            await Asker.prepared(network.services, member.caller, parse(SET), lambda: None)


def test_figures_are_means_over_the_questions_that_have_answers() -> None:
    card = scorecard(
        9,
        [ranked("ab", "xa", "a", "one"), ranked("xy", "xy", "a", "two"), ranked("ab", "", "ab"), ranked("ab", "", "")],
        200.0,
    )
    assert (card.entries, card.questions, card.unscored, card.memory_mb) == (9, 3, 1, 200.0)
    assert card.figures["moltnet"]["recall@5"].mean == pytest.approx(2 / 3)
    assert card.figures["words"]["mrr@10"].mean == pytest.approx(1 / 6)
    assert card.ahead.keys() == {"words"}
    assert card.ahead["words"]["recall@10"].mean == pytest.approx(1 / 3)
    assert card.kinds == {"one": (1, {"moltnet": 1.0, "words": 1.0}), "two": (1, {"moltnet": 0.0, "words": 0.0})}


def test_times_are_of_every_question() -> None:
    card = scorecard(1, [ranked("a", "a", "a", seconds=at / 1000) for at in range(1, 102)], 0.0)
    assert (card.p50_ms, card.p95_ms) == (pytest.approx(51), pytest.approx(96))
