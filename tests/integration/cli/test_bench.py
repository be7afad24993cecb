"""`moltnet bench retrieval`: a scorecard of the user's own set, with the real database and the real model."""

import json
from pathlib import Path

import pytest

from moltnet.entrypoints.cli.commands.bench import BUNDLED
from moltnet.entrypoints.cli.scoring.rankings import read_memory_set
from tests.support.commands import run, text_of

pytestmark = pytest.mark.real


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file of some entries and questions."""
    bundled = read_memory_set(BUNDLED)
    kept = {memory.id for memory in bundled.entries[:40]}
    asked = [question for question in bundled.questions if question.relevant and kept.issuperset(question.relevant)]
    lines = [{"entry": memory.id, "content": memory.new.content} for memory in bundled.entries[:40]]
    lines += [{"query": each.query, "relevant": list(each.relevant), "kind": each.kind} for each in asked]
    file = tmp_path / "own.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return file


async def test_figures_with_intervals_of_every_ranking(own: Path) -> None:
    as_json, spoken = await run("bench", "retrieval", str(own), "--json"), await run("bench", "retrieval", str(own))
    assert (as_json.status, as_json.err) == (0, "")
    card = as_json.printed
    assert card["entries"] == 40
    assert set(card["figures"]) - {"expansion"} == {"moltnet", "vectors", "words", "rrf"}
    assert set(card["figures"]["moltnet"]) == {"recall@5", "recall@10", "mrr@10", "ndcg@10"}
    for figures in card["figures"].values():
        for figure in figures.values():
            assert 0 <= figure["low"] <= figure["mean"] <= figure["high"] <= 1
    assert card["figures"]["moltnet"]["recall@10"]["mean"] > card["figures"]["words"]["recall@10"]["mean"] - 0.2
    assert 0 < card["p50_ms"] <= card["p95_ms"]
    assert card["memory_mb"] > 50
    assert (spoken.status, spoken.err) == (0, "")
    assert f"40 entries, {card['questions']} questions" in spoken.out
    shown = card["figures"]["moltnet"]["recall@10"]
    assert f"{shown['mean']:.3f} [{shown['low']:.3f}, {shown['high']:.3f}]" in spoken.out  # the same each time


async def test_a_bad_line_is_named(own: Path) -> None:
    with own.open("a", encoding="utf-8") as file:
        file.write('{"query": "who?", "relevant": ["nobody"]}\n')
    number = text_of(own).count("\n")
    refused = await run("bench", "retrieval", str(own))
    assert refused.refusal == f"{own}: line {number}: there is no entry 'nobody'"
    absent = await run("bench", "retrieval", str(own.with_name("absent")))
    assert absent.refusal == f"{own.with_name('absent')} cannot be read: No such file or directory"
