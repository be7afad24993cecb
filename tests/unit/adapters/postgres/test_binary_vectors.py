import struct

from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.postgres.pool import SparseVector, SparseVectorDumper, VectorDumper
from moltnet.domain.indexing import DIMENSIONS, Vector

FLOATS = st.floats(width=32, allow_nan=False)
HALVES = st.floats(width=16, allow_nan=False)


@given(st.lists(HALVES, min_size=4, max_size=4).map(lambda some: some * (DIMENSIONS // 4)))
def test_a_vector_is_sent_as_pgvector_reads_it(numbers: list[float]):
    vector = Vector(struct.pack(f"<{DIMENSIONS}e", *numbers))
    sent = VectorDumper(Vector).dump(vector)
    assert struct.unpack_from(">hh", sent) == (DIMENSIONS, 0)
    assert list(struct.unpack_from(f">{DIMENSIONS}e", sent, 4)) == numbers


@given(st.dictionaries(st.integers(1, 10**9), FLOATS.filter(bool), max_size=20))
def test_a_sparse_vector_is_sent_as_pgvector_reads_it(weights: dict[int, float]):
    sent = SparseVectorDumper(SparseVector).dump(SparseVector(weights))
    dimensions, count, unused = struct.unpack_from(">iii", sent)
    assert (dimensions, count, unused) == (10**9, len(weights), 0)
    places = struct.unpack_from(f">{count}i", sent, 12)
    values = struct.unpack_from(f">{count}f", sent, 12 + 4 * count)
    assert list(places) == sorted(place - 1 for place in weights)
    assert {place + 1: value for place, value in zip(places, values, strict=True)} == weights
