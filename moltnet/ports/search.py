"""What a search is made of: vectors, expansions, terms, and the entries that might answer a question."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from moltnet.domain.entries import Similar
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import Expansion, ModelName, Span, Term, Vector
from moltnet.domain.ranking import Candidates, Question, Shortlist
from moltnet.domain.search import LexicalQuery, Query


class Embedder(Protocol):
    """Turns text into unit-length vectors of 384 float16, and, if it can, into the words that the text calls up.

    Those who ask take turns, and one who sends too much is refused alone. `asker` is who pays (`Caller.asker`); None is
    the network itself, whose passages wait for those of agents. Cancelling a call drops what is left of it, not its
    neighbours'; so does its client's leaving (`IS_AWAITED`), and the call is then cancelled.
    """

    @property
    def model(self) -> ModelName:
        """The name every vector remembers; two models that differ in any weight or step have different names."""

    @property
    def words_weight(self) -> float:
        """How much matched words add to this model's cosine (λ of the ranking); it belongs to the model."""

    @property
    def expansion_weight(self) -> float:
        """How much its expansions add (δ of the ranking); 0 of a model that expands no text."""

    def legible(self, text: str) -> str:
        """The text with blanks for what the model cannot read, of the same length. What is embedded is cut from it."""

    def windows(self, text: str, heading: str = "") -> tuple[Span, ...]:
        """The passages of `text` that each fit the model, in order; empty for text without a token.

        A text that fits is one; a longer one is cut as `domain.passages` says. Each leaves room for a heading in front
        of it, up to half of what fits.
        """

    async def embed_passages(self, texts: Sequence[str], asker: str | None = None) -> list[Vector]:
        """Stored side: one vector for each text, in order; a text over the model's window is cut at its end.

        Raises EmbedderUnavailable when the model cannot compute, and AllowanceUsedUp when too much of the asker waits.
        """

    async def embed_query(self, text: str, asker: str | None = None) -> Vector:
        """Query side: the vector to compare stored vectors with; it waits for no passage. Raises as above."""

    async def expand_text(self, text: str, asker: str | None = None) -> Expansion | None:
        """Stored side: what the beginning of a whole text calls up, as much of it as the model reads at once.

        None of a model that expands no text. It takes its turn as a passage does, and raises as above.
        """

    async def expand_query(self, text: str, asker: str | None = None) -> Expansion | None:
        """Query side: the same of a question; it waits for no passage."""


class TextAnalyzer(Protocol):
    """Splits text into words, folds case and endings, leaves out stop words.

    Stored text and queries go through the same steps, in one place, so that every store matches alike. A text is
    indexed by every form of its words, and a query asks for as few as it can.
    """

    @property
    def version(self) -> int:
        """Grows whenever a text has other terms than before: what is stored is then analysed again."""

    def of_text(self, text: str) -> Mapping[Term, Sequence[int]]:
        """Each term of a text and its positions, counted from 1 over all words, the left-out ones included.

        Several terms at one position are forms of one word.
        """

    def of_query(self, query: Query) -> LexicalQuery:
        """A query in terms; a required or excluded term of several words is a run of them.

        A text that holds a word of the query, however written, holds its term or one of its forms.
        """


class CandidateSearch(Protocol):
    """Which entries might answer a question.

    Every store adds up in its own precision: a score is within 1e-5 of what `domain.ranking` and `Vector.cosine` give,
    and entries whose scores are closer than that may stand in either order. Equal scores stand in the order of their
    ids, greatest first.
    """

    async def best(
        self, question: Question, within: Collection[DiaryId], depth: int, shortlist: Shortlist | None = None
    ) -> Candidates:
        """The best `depth` entries of each side among `within` (empty means none, not all), as one set.

        Exact: every entry of these diaries that passes the filters and the exclusions is compared. An entry's cosine
        is that of its nearest passage made by the question's model; entries whose vectors are another model's have
        none, and their expansions count for nothing. Word scores are BM25 with document frequencies per diary, as a
        share of the best possible (`ranking.shares`). Of words of several forms the first that an entry holds
        count (`ranking.looked_up`), and of more than 64 words the rarest 64 (`ranking.rarest`), as the 50 diaries of
        the smallest ids that hold an entry tell. Of those that happened in one of the question's
        periods, the best by cosine are offered as well. `cosine_beyond`, `words_beyond` and `expansion_beyond` are the
        worst offered score of a side that has more, None of one without; `timely_beyond` says that more happened then.
        Each has the spread of the expansions of all that was compared, where the question has one.
        Of a shortlist, the store adds the sides up, so that no caller does while it holds a unit of work, and gives the
        entries from the same state; without `ranks`, it may have compared more than the best of each side.
        Of large diaries (6 000 entries altogether) the candidates of a shortlist may come from approximate indexes,
        unless required words, times or weights decide, or few pass the filters. Each has its true scores, and what
        other words could add is part of `words_beyond`; who asks again for more than 8 of each wanted gets what indexes
        lead to when they are followed further, as if there were no others. What calls up the same is looked for among
        these candidates alone, and their spread is brought down to that of all.
        With neither a vector nor wanted words there are no candidates. Raises ServingModelChanged (`ModelVectors`), as
        every look with a vector here does.
        """

    async def best_public(self, question: Question, depth: int, shortlist: Shortlist | None = None) -> Candidates:
        """The same among the entries of all public diaries.

        Exact, too, while they are few. Of many, the nearest are found by an approximate index and may miss some; what
        is offered has its true scores.
        """

    async def nearest_passages(
        self, vector: Vector, model: ModelName, entry_ids: Collection[EntryId]
    ) -> dict[EntryId, Span]:
        """For each of some entries, where in its text the passage nearest to a vector stands, among those of a model.

        Of entries that were stored before this was stored, the beginning may end a little early.
        """

    async def matched_runs(
        self, runs: Sequence[Collection[Sequence[Term]]], entry_ids: Collection[EntryId]
    ) -> dict[EntryId, frozenset[int]]:
        """For each of some entries, the places in `runs` (from 0) of the collections of which any run stands in it.

        Entries in which none stands are left out. It reads what is stored, and costs nothing by the entries' texts.
        """

    async def index_large(self, limit: int) -> bool:
        """Brings the indexes of diaries that have become large up to date, `limit` entries at a time.

        Answers whether there may be more to do. A store without such indexes has nothing to do.
        """

    async def similar(self, vector: Vector, model: ModelName, diary_id: DiaryId) -> list[Similar]:
        """The entries of a diary that begin almost alike, nearest first, within the limits of `domain.duplicates`."""
