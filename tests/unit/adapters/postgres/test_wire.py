import struct

from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.postgres.wire import SparseVector, SparseVectorDumper, VectorDumper
from moltnet.domain.search import DIMENSIONS, Vector

FLOATS = st.floats(width=32, allow_nan=False)


@given(st.binary(min_size=4 * DIMENSIONS, max_size=4 * DIMENSIONS))
def test_a_vector_is_sent_as_pgvector_reads_it(data: bytes):
    sent = VectorDumper(Vector).dump(Vector(data))
    assert sent[:4] == struct.pack(">hh", DIMENSIONS, 0)
    assert sent[4:] == b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))


@given(st.dictionaries(st.integers(1, 10**9), FLOATS, max_size=20))
def test_a_sparse_vector_is_sent_as_pgvector_reads_it(weights: dict[int, float]):
    sent = SparseVectorDumper(SparseVector).dump(SparseVector(weights))
    dimensions, count, unused = struct.unpack_from(">iii", sent)
    assert (dimensions, count, unused) == (10**9, len(weights), 0)
    places = struct.unpack_from(f">{count}i", sent, 12)
    values = struct.unpack_from(f">{count}f", sent, 12 + 4 * count)
    assert list(places) == sorted(place - 1 for place in weights)
    assert {place + 1: value for place, value in zip(places, values, strict=True)} == weights
