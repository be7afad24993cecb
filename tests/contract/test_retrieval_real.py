"""What finding promises with the real model: long entries read to their end, and no answer called one that is none."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model
from moltnet.adapters.onnx.model_dir import ModelMissing
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import NewEntry
from moltnet.domain.search import Search, SearchResult
from moltnet.entrypoints.cli.commands.bench import BUNDLED
from moltnet.entrypoints.cli.scoring.rankings import read_memory_set
from tests.support.network import Member, Network, a_network

pytestmark = pytest.mark.real

README = Path(__file__).parents[2] / "README.md"
PEOPLE = ("Mara", "Ilya", "Noor", "Tomas", "Aiko", "Bela", "Chidi", "Dana", "Emre")
FACTS = (
    ("{} keeps the spare key of the boathouse behind the clock.", "Where does {} keep the spare key?"),
    ("{} is allergic to hazelnuts and carries tablets for it.", "What is {} allergic to?"),
    ("{} will move to Lisbon in the spring to open a bakery.", "Which city will {} move to?"),
)
NOTES = (
    "The nightly backup takes longer than the window it was given, so the first jobs of the morning wait for it.",
    "A retry storm follows every failed deploy; the fix of last spring was a larger timeout, which nobody liked.",
    "The invoice template drops the second address line when the name of the street is longer than thirty letters.",
    "The camera on the loading dock freezes when it rains, and somebody has to climb up and switch it off and on.",
    "We agreed to ask before anything touches production, and to write down what we find when something breaks.",
)
REAL = (
    "what happens to the morning jobs when the backup is late",
    "what follows a failed deploy",
    "why does the invoice miss an address line",
    "what is wrong with the camera on the loading dock",
    "when do we have to ask before touching production",
)
WORDS = ("Mara", "Ilya", "coffee", "Friday")
GIBBERISH = ("qwfp zxcv arst", "lorble snazz quonk vib", "xkcd jjj 0x77 pqpq", "asdf ghjk", "zzyzx wobbegong frab")
FOREIGN = (
    "How long should sourdough rise overnight?",
    "Who won the chess tournament in the village?",
    "Which song did the choir rehearse?",
    "\u00bfD\u00f3nde est\u00e1 la llave del coche?",
    "\u4eca\u65e5\u306e\u5929\u6c17\u306f\u3069\u3046\u3067\u3059\u304b",
)


@pytest.fixture(scope="module")
def model() -> OnnxEmbedder:
    try:
        return OnnxEmbedder.load(default_model())
    except ModelMissing as missing:
        pytest.skip(missing.detail)


@pytest.fixture
async def network(model: OnnxEmbedder) -> AsyncIterator[Network]:
    async with a_network(embedder=model) as network:
        yield network


@pytest.fixture
async def ada(network: Network) -> Member:
    return await network.member()


@pytest.fixture
async def diary(network: Network, ada: Member) -> Diary:
    return await network.diary(ada)


async def asked(network: Network, ada: Member, query: str, limit: int = 3) -> SearchResult:
    return await network.services.search.search(ada.caller, Search(query=query, limit=limit))


async def test_a_fact_is_found_wherever_it_stands_in_ten_thousand_characters(
    network: Network, ada: Member, diary: Diary
) -> None:
    asks: dict[str, list[tuple[str, object]]] = {"start": [], "middle": [], "end": []}
    for number, person in enumerate(PEOPLE):
        where = list(asks)[number % 3]
        fact, question = FACTS[number // 3]
        needle = fact.format(person)
        filler = " ".join(NOTES[(number + at) % len(NOTES)] for at in range(100))[: 9_998 - len(needle)]
        at = {"start": 0, "middle": filler.index(" ", len(filler) // 2) + 1, "end": len(filler)}[where]
        content = f"{filler[:at].rstrip()} {needle} {filler[at:]}".strip()
        entry = await network.services.entries.create(ada.caller, diary.id, NewEntry(content=content))
        asks[where].append((question.format(person), entry.id))
    for where, questions in asks.items():
        for question, entry_id in questions:
            found = await asked(network, ada, question)
            assert entry_id in [hit.entry.id for hit in found.hits], (where, question)


async def test_what_is_foreign_to_a_diary_is_flagged_and_real_questions_are_not(
    network: Network, ada: Member, diary: Diary
) -> None:
    for content in NOTES:
        await network.entry(ada, diary, content)
    assert [query for query in REAL if not (await asked(network, ada, query)).confident] == []
    assert [query for query in GIBBERISH + FOREIGN if (await asked(network, ada, query)).confident] == []


async def test_example_of_the_readme_is_confident_and_right(network: Network, ada: Member, diary: Diary) -> None:
    readme = README.read_text(encoding="utf-8")
    (stored,), (query,) = (re.findall(rf"\$ moltnet diary {verb} '(.+)'", readme) for verb in ("create", "search"))
    entry = await network.entry(ada, diary, stored)
    for content in (None, *NOTES):
        if content:
            await network.entry(ada, diary, content)
        found = await asked(network, ada, query)
        assert (found.hits[0].entry.id, found.confident) == (entry.id, True)


async def test_what_is_excluded_is_never_shown_and_the_rest_stands_as_before(
    network: Network, ada: Member, diary: Diary
) -> None:
    memories = read_memory_set(BUNDLED)
    for memory in memories.entries[::4]:
        await network.entry(ada, diary, memory.new.content)
    excluding = 0
    for question in [each.query for each in memories.questions if each.kind != "negation"][::4]:
        before = (await asked(network, ada, question, limit=100)).hits
        for word in WORDS:
            after = (await asked(network, ada, f"{question} -{word}", limit=100)).hits
            rest = [hit for hit in before if not re.search(rf"\b{word}\b", hit.entry.content, re.IGNORECASE)]
            assert [(hit.entry.id, hit.score) for hit in after] == [(hit.entry.id, hit.score) for hit in rest]
            excluding += len(rest) < len(before)
    assert excluding > 30


async def test_the_same_question_has_the_same_answer_in_the_same_order(
    network: Network, ada: Member, diary: Diary
) -> None:
    for content in (*NOTES, *NOTES):
        await network.entry(ada, diary, content)
    answers = [await asked(network, ada, REAL[1], limit=10) for _ in range(20)]
    assert len({tuple((hit.entry.id, hit.score) for hit in answer.hits) for answer in answers}) == 1
