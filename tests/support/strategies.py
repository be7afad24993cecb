"""Arbitrary things of the network, for properties."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from moltnet.domain.entries import TAG_MAX, TAGS_MAX, TITLE_MAX, Entry, EntryType
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import EntryIndex, ModelName, Term, Vector
from moltnet.domain.ranking import Question
from moltnet.domain.search import Filters, LexicalQuery
from moltnet.domain.time_expressions import TimeRange
from tests.support.builders import MODEL, NOON, a_vector, an_author, an_index

# Every character a database can keep: no U+0000, and no half of a surrogate pair.
STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
WORDS = ("ant", "bee", "cat", "dog")
MODELS = (MODEL, ModelName("another"))
SECOND = timedelta(seconds=1)


def moments() -> st.SearchStrategy[datetime]:
    """Times in UTC of a hundred years, to the microsecond."""
    first, microseconds = datetime(2000, 1, 1, tzinfo=UTC), 36525 * 24 * 60 * 60 * 1_000_000
    return st.integers(0, microseconds).map(lambda since: first + timedelta(microseconds=since))


def texts(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """Text that can be stored."""
    return st.text(STORABLE, min_size=least, max_size=most)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Entries anywhere within the limits."""
    created_at, updated_at = sorted(draw(st.tuples(moments(), moments())))
    return Entry(
        id=EntryId(draw(st.uuids())),
        diary_id=DiaryId(draw(st.uuids())),
        author=an_author(),
        title=draw(st.none() | texts(TITLE_MAX)),
        content=draw(texts(200, least=1)),
        tags=draw(st.none() | st.lists(texts(TAG_MAX), max_size=TAGS_MAX).map(tuple)),
        injection_risk=draw(st.booleans()),
        importance=draw(st.integers(1, 10)),
        entry_type=draw(st.sampled_from(EntryType)),
        occurred_at=draw(st.none() | moments()),
        created_at=created_at,
        updated_at=updated_at,
    )


def index_terms(most: int = 3, least: int = 0) -> st.SearchStrategy[tuple[Term, ...]]:
    """A few lexemes of a small language."""
    return st.lists(st.sampled_from(WORDS).map(Term), min_size=least, max_size=most).map(tuple)


def vectors() -> st.SearchStrategy[Vector]:
    """Vectors in a plane, of any length but none."""
    numbers = st.integers(-3, 3)
    return st.tuples(numbers, numbers).filter(any).map(lambda pair: a_vector(*pair))


def indexes() -> st.SearchStrategy[EntryIndex]:
    """What entries are found by: a text of the small language, and passages of one of two models."""
    return st.builds(
        lambda text, passages, model: an_index(*text, vectors=passages, model=model),
        index_terms(8),
        st.lists(vectors(), max_size=2).map(tuple),
        st.sampled_from(MODELS),
    )


def filters() -> st.SearchStrategy[Filters]:
    """Filters that let something through."""
    return st.builds(
        Filters,
        tags=st.sampled_from([(), (), ("x",), ("x", "y")]),
        entry_types=st.sampled_from([frozenset(), frozenset({EntryType.SEMANTIC})]),
        exclude_superseded=st.booleans(),
        exclude_flagged=st.booleans(),
        since=_around_noon(),
        until=_around_noon(),
        happened_since=_around_noon(),
        happened_until=_around_noon(),
    )


def _around_noon() -> st.SearchStrategy[datetime | None]:
    return st.none() | st.none() | st.integers(-30, 30).map(lambda seconds: NOON + timedelta(seconds=seconds))


def time_ranges() -> st.SearchStrategy[TimeRange]:
    """Stretches of some seconds around noon."""
    seconds = st.tuples(st.integers(-20, 20), st.integers(1, 20))
    return seconds.map(lambda each: TimeRange(NOON + each[0] * SECOND, NOON + sum(each) * SECOND))


def alternatives() -> st.SearchStrategy[tuple[tuple[Term, ...], ...]]:
    """The forms of a word: any of the first alternative, or else of the second, if that is needed."""
    words = index_terms(3, least=1).map(tuple)
    return st.tuples(words) | st.tuples(words, words) | st.tuples(words, st.just(()))


def questions() -> st.SearchStrategy[Question]:
    """Questions in the small language."""
    runs = st.lists(index_terms(2, least=1), max_size=1).map(tuple)
    return st.builds(
        Question,
        vector=st.none() | vectors(),
        model=st.sampled_from(MODELS),
        words=st.builds(
            LexicalQuery,
            scored=index_terms().map(frozenset),
            forms=st.lists(alternatives(), max_size=2).map(tuple),
            exact=st.sampled_from((0.0, 0.5, 1.0)),
            required=runs,
            excluded=runs,
        ),
        time_ranges=st.lists(time_ranges(), max_size=2).map(tuple),
        filters=filters(),
    )
