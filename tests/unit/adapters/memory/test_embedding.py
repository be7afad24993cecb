"""What the hashed vectors of the memory embedder say about texts."""

import hashlib

import pytest

from moltnet.adapters.memory.embedding import MemoryEmbedder

RECORD_MIGRATION = "The database password was rotated on Monday."


@pytest.fixture
def embedder() -> MemoryEmbedder:
    return MemoryEmbedder()


async def test_texts_that_share_words_are_nearer(embedder):
    query = await embedder.embed_query("when was the password rotated")
    same, other = await embedder.embed_passages([RECORD_MIGRATION, "Lunch with Carol at the harbour"])

    assert query.cosine(same) > query.cosine(other) + 0.2


async def test_other_endings_and_case_stay_near(embedder):
    one, other = await embedder.embed_passages(["rotating Passwords", "rotated password"])

    assert one.cosine(other) > 0.6


async def test_only_the_first_window_counts(embedder):
    window = "word " * 64

    within, over = await embedder.embed_passages([window, window + "something else"])

    assert within == over
    assert len(embedder.windows(window + "something else")) == 2


async def test_query_and_passage_of_the_same_text_are_equal(embedder):
    assert [await embedder.embed_query(RECORD_MIGRATION)] == await embedder.embed_passages([RECORD_MIGRATION])


async def test_vectors_are_the_same_on_every_machine(embedder):
    signs = bytes(number > 0 for number in (await embedder.embed_query(RECORD_MIGRATION)).numbers())

    assert hashlib.sha256(signs).hexdigest()[:16] == "dd194a04ba488de1"


def test_model_has_its_own_name(embedder):
    assert embedder.model == "memory-384"
    assert embedder.words_weight == 1.0
