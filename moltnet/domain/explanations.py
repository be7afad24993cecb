"""Why an entry is in an answer, and why another is not."""

from enum import StrEnum

import attrs

from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.passages import Span


class Reason(StrEnum):
    """Why an entry is left out: a filter, a word it holds or does not hold, or a score below the least asked for."""

    TAGS = "tags"
    ENTRY_TYPES = "entryTypes"
    SUPERSEDED = "superseded"
    FLAGGED = "flagged"
    CREATED = "created"
    OCCURRED = "occurred"
    AUTHOR = "author"
    REQUIRED = "requiredWords"
    EXCLUDED = "excludedWords"
    MIN_SCORE = "minScore"


@attrs.frozen(kw_only=True)
class Explanation:
    """Both sides of a hit.

    `cosine` and `words` are the raw scores, with the rank each has on its side (None: another was offered instead).
    `matched` are the words of the query that the entry holds, as the query writes them. `passage` is the part of the
    entry's content that is nearest in meaning. `timely` says that it happened when the query says.
    """

    cosine: float | None = None
    cosine_rank: int | None = None
    words: float
    words_rank: int | None = None
    matched: tuple[str, ...]
    passage: Span | None = None
    timely: bool


@attrs.frozen(kw_only=True)
class Passage:
    """The part of an entry's content that is nearest in meaning; `start` and `end` count its code points."""

    start: int
    end: int
    text: str


@attrs.frozen(kw_only=True)
class Explained:
    """An explanation with the text of its passage."""

    explanation: Explanation
    passage: Passage | None


@attrs.frozen(kw_only=True)
class LeftOut:
    """An entry that would have been in the answer, its score, and why it is left out."""

    entry_id: EntryId
    diary_id: DiaryId
    score: float
    reason: Reason
