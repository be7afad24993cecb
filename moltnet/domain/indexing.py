"""What an entry is found by: vectors of its passages under a model, and its terms; which model serves a network.

The switch from one model to another ends when every entry has vectors of the other.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from operator import mul
from typing import NewType

import attrs

from moltnet.domain.errors import Unavailable

DIMENSIONS = 384


ModelName = NewType("ModelName", str)


Term = NewType("Term", str)


class EmbedderUnavailable(Unavailable):
    """The embedding model cannot compute; text search still works."""

    code = "EMBEDDER_UNAVAILABLE"
    sentence = "The embedding model is unavailable"


@attrs.frozen
class Vector:
    """384 float32 in little-endian order, as a buffer: no numeric library is needed to carry one."""

    data: bytes = attrs.field(repr=False)

    @data.validator
    def _right_size(self, _: object, data: bytes) -> None:
        if len(data) != DIMENSIONS * 4:
            raise ValueError(f"a vector holds {DIMENSIONS} float32, got {len(data)} bytes")

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Vector":
        """The vector of 384 numbers."""
        return cls(struct.pack(f"<{len(numbers)}f", *numbers))

    def numbers(self) -> tuple[float, ...]:
        """The 384 numbers."""
        return struct.unpack(f"<{DIMENSIONS}f", self.data)

    def cosine(self, other: "Vector") -> float:
        """The cosine of the angle to `other`, in [-1, 1]; 0 beside a vector of length zero."""
        mine, theirs = self.numbers(), other.numbers()
        lengths = math.sqrt(_dot(mine, mine) * _dot(theirs, theirs))
        # Rounding would lead a little beyond 1.
        return max(-1.0, min(1.0, _dot(mine, theirs) / lengths)) if lengths else 0.0


@attrs.frozen
class IndexedPassage:
    """The vector of one window of an entry's text; `ordinal` 0 is the entry's beginning."""

    ordinal: int
    start: int
    end: int
    vector: Vector


@attrs.frozen(kw_only=True)
class ModelPassages:
    """A text's passages under one model; none for a text without a token."""

    model: ModelName
    passages: tuple[IndexedPassage, ...]


@attrs.frozen(kw_only=True)
class EntryIndex:
    """What an entry is found by: its passages under one model, and its terms with their positions from 1.

    Without a model there are no passages, and words alone find the entry. `upcoming` is what it will be found by once
    the network has switched to another model.
    """

    model: ModelName | None = None
    passages: tuple[IndexedPassage, ...] = ()
    index_terms: Mapping[Term, Sequence[int]] = attrs.field(factory=dict)
    upcoming: ModelPassages | None = None

    def under(self, model: ModelName) -> tuple[IndexedPassage, ...] | None:
        """The passages of a model; None when the entry has not been embedded by it."""
        if self.model == model:
            return self.passages
        return self.upcoming.passages if self.upcoming and self.upcoming.model == model else None


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return float(sum(map(mul, left, right)))


class ServingModelChanged(Unavailable):
    """What was asked or written carries vectors of a model that serves no longer; nothing was read or written."""

    code = "SERVING_MODEL_CHANGED"
    sentence = "The network has switched to another embedding model; try again"


@attrs.frozen
class ModelReference:
    """A model and where a server finds it: in a directory, or as the installed default."""

    name: ModelName
    directory: str | None = None


@attrs.frozen(kw_only=True)
class ModelState:
    """The model that searches use, and the one that will be used once every entry has vectors of it.

    Neither is set in a network that has never had a model.
    """

    serving: ModelReference | None = None
    target: ModelReference | None = None


@attrs.frozen
class ModelCount:
    """How many entries have vectors of a model, and how many passages they are; None counts those without any."""

    model: ModelName | None
    entries: int
    passages: int


@attrs.frozen(kw_only=True)
class ModelMigrationProgress:
    """How many of all entries are done: embedded by the target, or by the serving model while there is no switch."""

    state: ModelState
    done: int
    total: int

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state.target is None and self.done == self.total
