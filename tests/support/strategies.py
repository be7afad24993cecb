"""Arbitrary things of the network, for properties."""

import string
from datetime import UTC, datetime

from hypothesis import strategies as st

from moltnet.domain.entries import TAG_MAX, TAGS_MAX, TITLE_MAX, Entry, EntryType
from moltnet.domain.ids import DiaryId, EntryId



# Every character a database can keep: no U+0000, and no half of a surrogate pair.
STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
WORDS = tuple(string.ascii_lowercase[:6])
TAGS = ("x", "y")


def moments(
    first: datetime = datetime(2000, 1, 1), last: datetime = datetime(2100, 1, 1)  # noqa: DTZ001 - made aware below
) -> st.SearchStrategy[datetime]:
    """Times in UTC, to the microsecond."""
    return st.datetimes(first, last, timezones=st.just(UTC))


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
        title=draw(st.none() | texts(TITLE_MAX)),
        content=draw(texts(200, least=1)),
        tags=draw(st.none() | st.lists(texts(TAG_MAX), max_size=TAGS_MAX).map(tuple)),
        injection_risk=draw(st.booleans()),
        importance=draw(st.integers(1, 10)),
        entry_type=draw(st.sampled_from(EntryType)),
        created_at=created_at,
        updated_at=updated_at,
    )
