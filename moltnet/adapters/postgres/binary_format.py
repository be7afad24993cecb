"""What PostgreSQL takes in binary: dense vectors, and sparse ones made of weighted places."""

import struct
from array import array
from collections.abc import Mapping

import attrs
import pgvector
from psycopg import BaseConnection
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types import TypeInfo

from moltnet.domain.indexing import DIMENSIONS, Vector

SPARSE_DIMENSIONS = 1_000_000_000  # pgvector's limit


@attrs.frozen
class SparseVector:
    """Weights at places from 1 to 10⁹; at every other place there is 0.

    `data` is the message that pgvector's `sparsevec_recv` reads, where places count from 0. It is made with the vector:
    a connection sends on the event loop.
    """

    weights: Mapping[int, float]
    data: bytes = attrs.field(init=False, repr=False)

    @data.default
    def _sent(self) -> bytes:
        weights = {dimension - 1: weight for dimension, weight in self.weights.items()}
        return pgvector.SparseVector(weights, SPARSE_DIMENSIONS).to_binary()


_HEAD = struct.pack(">HH", DIMENSIONS, 0)  # the number of dimensions, and two bytes that are not used


class VectorDumper(Dumper):
    """Sends a dense vector."""

    format = Format.BINARY

    def dump(self, vector: Vector) -> bytes:
        """The message that pgvector's `vector_recv` reads."""
        numbers = array("f", vector.data)
        numbers.byteswap()
        return _HEAD + numbers.tobytes()


class SparseVectorDumper(Dumper):
    """Sends a sparse vector."""

    format = Format.BINARY

    def dump(self, vector: SparseVector) -> bytes:
        """Its message."""
        return vector.data


def vector_from_binary(message: bytes) -> Vector:
    """The dense vector in a message of pgvector's `vector_send`."""
    return Vector.of(pgvector.Vector.from_binary(message).to_list())


def register_vectors(connection: BaseConnection[tuple[object, ...]], vector: TypeInfo, sparse: TypeInfo) -> None:
    """Teaches a connection to send both kinds; each database gives the types numbers of its own."""
    vector.register(connection)
    connection.adapters.register_dumper(Vector, type("VectorDumper", (VectorDumper,), {"oid": vector.oid}))
    connection.adapters.register_dumper(
        SparseVector, type("SparseVectorDumper", (SparseVectorDumper,), {"oid": sparse.oid})
    )
