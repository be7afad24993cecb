"""Lexemes as PostgreSQL keeps them: `tsvector` for runs of words, `sparsevec` for BM25, rows to count.

PostgreSQL never splits, stems or leaves out words itself: what is stored is what `ports.lexemes` made.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import attrs

from moltnet.adapters.postgres.wire import SPARSE_DIMENSIONS, SparseVector
from moltnet.domain.ranking import term_weight
from moltnet.domain.search import Lexeme

# Of a text with more lexemes the most frequent are kept: pgvector takes 16 000 places that are not zero.
LEXEMES_MAX = 16_000
# PostgreSQL's limits of a tsvector: a position is at most 16 383, and a lexeme has at most 256 of them.
POSITION_MAX = 16_383
POSITIONS_MAX = 256
# A longer lexeme is kept by its hash. An index row of PostgreSQL holds about 2 700 bytes, a tsvector's lexeme 2 046.
LEXEME_BYTES_MAX = 255


@attrs.frozen(kw_only=True)
class StoredWords:
    """The lexemes of one entry in their three forms."""

    words: str
    terms: SparseVector
    lexemes: list[str]


def stored_words(lexemes: Mapping[Lexeme, Sequence[int]]) -> StoredWords:
    """The stored forms of an entry's lexemes, given with their positions."""
    length = sum(map(len, lexemes.values()))
    kept = {stored_form(lexeme): positions for lexeme, positions in _most_frequent(lexemes)}
    weights: dict[int, float] = {}
    for lexeme, positions in kept.items():
        place = place_of(lexeme)
        weights[place] = max(weights.get(place, 0.0), term_weight(len(positions), length))
    return StoredWords(
        words=" ".join(_placed(lexeme, positions) for lexeme, positions in kept.items()),
        terms=SparseVector(weights),
        lexemes=sorted(kept),
    )


def stored_form(lexeme: Lexeme) -> str:
    """A lexeme as it is stored and looked for: itself, or its hash when it is too long to be kept."""
    encoded = lexeme.encode()
    if len(encoded) <= LEXEME_BYTES_MAX:
        return lexeme
    return hashlib.blake2b(encoded, digest_size=32).hexdigest()


def place_of(lexeme: str) -> int:
    """Where a stored lexeme's weight stands in a sparse vector: 64 bits of its hash, cut to 1 to 10⁹ - 1."""
    bits = int.from_bytes(hashlib.blake2b(lexeme.encode(), digest_size=8).digest())
    return bits % (SPARSE_DIMENSIONS - 1) + 1


def quoted(lexeme: str) -> str:
    """A lexeme as one word, whatever is in it (PostgreSQL manual, 8.11.1)."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def any_run(runs: Iterable[Sequence[Lexeme]]) -> str | None:
    """A `tsquery` for texts in which any of these runs stands; None when no run has a lexeme."""
    return _joined(runs, " | ")


def every_run(runs: Iterable[Sequence[Lexeme]]) -> str | None:
    """A `tsquery` for texts in which all of these runs stand; None when no run has a lexeme."""
    return _joined(runs, " & ")


def _most_frequent(lexemes: Mapping[Lexeme, Sequence[int]]) -> Iterable[tuple[Lexeme, Sequence[int]]]:
    if len(lexemes) <= LEXEMES_MAX:
        return lexemes.items()
    return sorted(lexemes.items(), key=lambda each: (-len(each[1]), each[0]))[:LEXEMES_MAX]


def _placed(lexeme: str, positions: Sequence[int]) -> str:
    places = ",".join(str(min(position, POSITION_MAX)) for position in positions[:POSITIONS_MAX])
    return f"{quoted(lexeme)}:{places}"


def _joined(runs: Iterable[Sequence[Lexeme]], operator: str) -> str | None:
    phrases = [" <-> ".join(quoted(stored_form(lexeme)) for lexeme in run) for run in runs if run]
    return operator.join(f"({phrase})" for phrase in phrases) or None
