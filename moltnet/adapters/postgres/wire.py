"""What PostgreSQL takes in binary: dense vectors, and sparse ones made of weighted places."""

import struct
from array import array
from collections.abc import Mapping

import attrs
from psycopg import BaseConnection
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types import TypeInfo

from moltnet.domain.search import DIMENSIONS, Vector

SPARSE_DIMENSIONS = 1_000_000_000  # pgvector's limit

_VECTOR_HEAD = struct.pack(">hh", DIMENSIONS, 0)


@attrs.frozen
class SparseVector:
    """Weights at places from 1 to 10⁹; at every other place there is 0."""

    weights: Mapping[int, float]


class VectorDumper(Dumper):
    """pgvector's `vector_recv`: the number of dimensions and a zero as int16, then float32, all big-endian."""

    format = Format.BINARY

    def dump(self, vector: Vector) -> bytes:
        """The message; the vector's own bytes are little-endian."""
        swapped = array("I", vector.data)
        swapped.byteswap()
        return _VECTOR_HEAD + swapped.tobytes()


class SparseVectorDumper(Dumper):
    """pgvector's `sparsevec_recv`: dimensions, number of places, zero, the places in order from 0, their values."""

    format = Format.BINARY

    def dump(self, vector: SparseVector) -> bytes:
        """The message."""
        places = sorted(vector.weights)
        return struct.pack(
            f">iii{len(places)}i{len(places)}f",
            SPARSE_DIMENSIONS,
            len(places),
            0,
            *(place - 1 for place in places),
            *(vector.weights[place] for place in places),
        )


def register_vectors(connection: BaseConnection[tuple[object, ...]], vector: TypeInfo, sparse: TypeInfo) -> None:
    """Teaches a connection to send both kinds; each database gives the types numbers of its own."""
    vector.register(connection)
    connection.adapters.register_dumper(Vector, type("VectorDumper", (VectorDumper,), {"oid": vector.oid}))
    connection.adapters.register_dumper(
        SparseVector, type("SparseVectorDumper", (SparseVectorDumper,), {"oid": sparse.oid})
    )
