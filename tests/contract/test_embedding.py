"""The port `Embedder`: unit vectors, order, repeatability, windows, many callers, callers who leave."""

import asyncio
import math
from itertools import pairwise

import pytest

from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model
from moltnet.adapters.onnx.model_dir import ModelMissing
from moltnet.domain.indexing import Vector
from moltnet.ports.search import Embedder

NOTES = (
    "The database password was rotated on Monday.",
    "Carol prefers tea to coffee, and never before ten.",
    "Deploys freeze from 20 December until the new year.",
    "key",
    "The retry loop must back off: the provider bans clients that knock more than twice a second.",
)
ODD = {
    "empty": "",
    "blank": " \n\t ",
    "nul": "before\0after",
    "lone surrogate": "half \ud83d a smile",
    "emoji with joiners": "👩\u200d👩\u200d👧\u200d👦 😀",
    "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd\u202c",
    "combining": "e\u0301" * 40,
    "no spaces": "漢字" * 500,
    "one endless word": "x" * 5_000,
    "special tokens": "[CLS] [SEP] [PAD] [MASK] [UNK]",
    "replacement": "\ufffd\uffff\U0010ffff",
}
LONG = " ".join(f"On day {day} agent {day % 7} wrote down what happened." for day in range(2_500))[:100_000]


@pytest.fixture(scope="module")
def loaded_model() -> OnnxEmbedder:
    """Loaded once: the threads of an embedder serve every event loop."""
    try:
        return OnnxEmbedder.load(default_model())
    except ModelMissing as missing:
        pytest.skip(missing.detail)


@pytest.fixture(params=["memory", pytest.param("onnx", marks=pytest.mark.real)])
async def embedder(request) -> Embedder:
    return MemoryEmbedder() if request.param == "memory" else request.getfixturevalue("loaded_model")


def length(vector: Vector) -> float:
    return math.sqrt(sum(number * number for number in vector.numbers()))


async def test_vectors_have_unit_length(embedder):
    vectors = [*await embedder.embed_passages(NOTES), await embedder.embed_query("where is the key")]

    assert [length(vector) for vector in vectors] == pytest.approx([1.0] * len(vectors), abs=0.005)


async def test_results_keep_the_order_of_the_texts(embedder):
    forwards = await embedder.embed_passages(NOTES)
    backwards = await embedder.embed_passages(NOTES[::-1])

    assert forwards == backwards[::-1]
    assert len(set(forwards)) == len(NOTES)


async def test_text_has_the_same_vector_alone_and_among_others(embedder):
    together = await embedder.embed_passages([*NOTES, *NOTES, LONG])
    alone = [(await embedder.embed_passages([note]))[0] for note in NOTES]

    assert together[: len(NOTES)] == alone
    assert together[len(NOTES) : 2 * len(NOTES)] == alone


async def test_no_texts_give_no_vectors(embedder):
    assert await embedder.embed_passages([]) == []


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
async def test_any_text_has_a_vector_on_both_sides(embedder, text):
    passage, query = (await embedder.embed_passages([text]))[0], await embedder.embed_query(text)

    assert length(passage) == pytest.approx(1.0, abs=0.005)
    assert length(query) == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize("text", [*NOTES, *ODD.values(), LONG], ids=lambda text: ascii(text[:20]))
def test_windows_lie_in_order_within_the_text(embedder, text):
    windows = embedder.windows(text)

    assert all(0 <= window.start < window.end <= len(text) for window in windows)
    assert all(one.start < next_.start and one.end < next_.end for one, next_ in pairwise(windows))


def test_windows_leave_out_nothing_of_a_long_text(embedder):
    windows = embedder.windows(LONG)

    assert windows[0].start == 0
    assert all(LONG[one.end : next_.start].strip(" .") == "" for one, next_ in pairwise(windows))
    assert LONG[windows[-1].end :].strip(" .") == ""


def test_sentence_of_a_long_text_is_read_by_itself_wherever_it_stands(embedder):
    fact = "Carol keeps the spare key under the third flower pot, not the second."
    hay = [f"Of day number {day} there is nothing to tell, and nobody came." for day in range(60)]

    for place in (0, 30, 60):
        text = " ".join([*hay[:place], fact, *hay[place:]])
        assert fact.strip(".") in {window.of(text).strip(".") for window in embedder.windows(text)}


def test_short_text_is_one_window(embedder):
    (window,) = embedder.windows("  agents remember  ")

    assert window.of("  agents remember  ") == "agents remember"


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_text_without_a_token_has_no_window(embedder, text):
    assert embedder.windows(text) == ()


async def test_text_over_the_window_is_cut_at_its_end(embedder):
    long, longer = await embedder.embed_passages([LONG, f"{LONG} and then some"])

    assert long == longer


async def test_many_callers_get_their_own_answers(embedder):
    expected = dict(zip(NOTES, await embedder.embed_passages(NOTES), strict=True))
    texts = [NOTES[n % len(NOTES)] for n in range(50)]

    answers = await asyncio.gather(*(embedder.embed_passages([text]) for text in texts))

    assert answers == [[expected[text]] for text in texts]


async def test_cancelling_a_call_leaves_its_neighbours_alone(embedder):
    alone = await embedder.embed_passages(NOTES)
    tasks = [asyncio.create_task(embedder.embed_passages(NOTES)) for _ in range(6)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()

    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert answers[1::2] == [alone] * 3


async def test_text_is_nearest_to_its_own_words(embedder):
    notes = await embedder.embed_passages(NOTES)
    query = await embedder.embed_query("when was the database password rotated?")

    assert max(notes, key=query.cosine) is notes[0]


def test_model_is_named_and_weighs_words(embedder):
    assert embedder.model
    assert embedder.model == embedder.model.strip()
    assert embedder.words_weight >= 0
