"""Words as a text search compares them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from moltnet.domain.search import LexicalQuery, Query, Term


class TextAnalyzer(Protocol):
    """Splits text into words, folds case and endings, leaves out stop words.

    Stored text and queries go through the same steps, in one place, so that every store matches alike.
    """

    def of_text(self, text: str) -> Mapping[Term, Sequence[int]]:
        """Each term of a text and its positions, counted from 1 over all words, the left-out ones included."""
        ...

    def of_query(self, query: Query) -> LexicalQuery:
        """A query in terms; a required or excluded term of several words is a run of them."""
        ...
