"""Terms as PostgreSQL keeps them: `tsvector` for runs of words, `sparsevec` for BM25, rows to count.

PostgreSQL never splits, stems or leaves out words itself: what is stored is what `ports.index_terms` made.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import attrs

from moltnet.adapters.postgres.pool import SPARSE_DIMENSIONS, SparseVector
from moltnet.domain.indexing import Term
from moltnet.domain.ranking import term_weight, text_length

# Of a text with more terms the most frequent are stored: pgvector takes 16 000 places that are not zero.
TERMS_MAX = 16_000
# PostgreSQL's limits of a tsvector: a position is at most 16 383, and a term has at most 256 of them.
POSITION_MAX = 16_383
POSITIONS_MAX = 256
# A longer term is stored by its hash. An index row of PostgreSQL holds about 2 700 bytes, a tsvector's term 2 046.
TERM_BYTES_MAX = 255


@attrs.frozen(kw_only=True)
class StoredTerms:
    """The terms of one entry in their three forms."""

    words: str
    terms: SparseVector
    index_terms: list[str]


def stored_terms(index_terms: Mapping[Term, Sequence[int]]) -> StoredTerms:
    """The stored forms of an entry's terms, given with their positions."""
    length = text_length(index_terms)
    frequent_terms = {stored_form(term): positions for term, positions in _most_frequent(index_terms)}
    weights: dict[int, float] = {}
    for term, positions in frequent_terms.items():
        dimension = dimension_of(term)
        weights[dimension] = max(weights.get(dimension, 0.0), term_weight(len(positions), length))
    return StoredTerms(
        words=" ".join(_placed(term, positions) for term, positions in frequent_terms.items()),
        terms=SparseVector(weights),
        index_terms=sorted(frequent_terms),
    )


def stored_expansion(weights: Mapping[int, float]) -> SparseVector:
    """The weights of pieces of words, which a model counts from 0."""
    return SparseVector({piece + 1: weight for piece, weight in weights.items()})


def stored_form(term: Term) -> str:
    """A term as it is stored and looked for: itself, or its hash when it is too long to be stored."""
    encoded = term.encode()
    if len(encoded) <= TERM_BYTES_MAX:
        return term
    return hashlib.blake2b(encoded, digest_size=32).hexdigest()


def dimension_of(term: str) -> int:
    """Where a stored term's weight stands in a sparse vector: 64 bits of its hash, cut to 1 to 10⁹ - 1."""
    bits = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest())
    return bits % (SPARSE_DIMENSIONS - 1) + 1


def quoted(term: str) -> str:
    """A term as one word, whatever is in it (PostgreSQL manual, 8.11.1)."""
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def any_run(runs: Iterable[Sequence[Term]]) -> str | None:
    """A `tsquery` for texts in which any of these runs stands; None when no run has a term."""
    return _joined(runs, " | ")


def every_run(runs: Iterable[Sequence[Term]]) -> str | None:
    """A `tsquery` for texts in which all of these runs stand; None when no run has a term."""
    return _joined(runs, " & ")


def _most_frequent(index_terms: Mapping[Term, Sequence[int]]) -> Iterable[tuple[Term, Sequence[int]]]:
    if len(index_terms) <= TERMS_MAX:
        return index_terms.items()
    return sorted(index_terms.items(), key=lambda each: (-len(each[1]), each[0]))[:TERMS_MAX]


def _placed(term: str, positions: Sequence[int]) -> str:
    shown = ",".join(str(min(position, POSITION_MAX)) for position in positions[:POSITIONS_MAX])
    return f"{quoted(term)}:{shown}"


def _joined(runs: Iterable[Sequence[Term]], operator: str) -> str | None:
    phrases = [" <-> ".join(quoted(stored_form(term)) for term in run) for run in runs if run]
    return operator.join(f"({phrase})" for phrase in phrases) or None
