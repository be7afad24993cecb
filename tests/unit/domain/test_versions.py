"""Versions of things, and changes that are meant for one of them."""

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.domain.diaries import DiaryEdit
from moltnet.domain.entries import CONTENT_MAX, Entry, EntryEdit
from moltnet.domain.ids import ANY_VERSION, Expected, StaleVersion, next_version, version_of, version_time
from tests.support.builders import NOON, a_diary, an_entry
from tests.support.strategies import entries, moments

MICROSECOND = timedelta(microseconds=1)
MEANWHILE = st.integers(-5, 5).map(lambda ticks: NOON + ticks * MICROSECOND)


@given(first=entries(), second=entries(), at=moments())
def test_every_version_of_every_thing_has_a_name_of_its_own(first: Entry, second: Entry, at: datetime) -> None:
    versions = [first, attrs.evolve(first, updated_at=at), second, attrs.evolve(second, updated_at=at)]
    told = {(each.id, each.updated_at): version_of(each) for each in versions}
    assert len(set(told.values())) == len(told)


@given(entry=entries())
def test_a_version_is_reported_in_visible_ascii_without_quotes(entry: Entry) -> None:
    assert all("!" <= character <= "~" and character != '"' for character in version_of(entry))


def test_looking_makes_no_new_version() -> None:
    entry = an_entry()
    assert version_of(attrs.evolve(entry, access_count=7, last_accessed_at=NOON)) == version_of(entry)


@given(at=MEANWHILE)
def test_a_version_comes_after_the_one_before_whatever_the_clock_says(at: datetime) -> None:
    diary = a_diary(at=NOON)
    assert next_version(diary, at) == (at if at > NOON else NOON + MICROSECOND)


@given(times=st.lists(MEANWHILE, max_size=6))
def test_no_two_edits_make_the_same_version(times: list[datetime]) -> None:
    diary, entry = a_diary(at=NOON), an_entry(at=NOON)
    versions = [version_of(diary), version_of(entry)]
    for at in times:
        diary = DiaryEdit().applied_to(diary, at)
        entry = EntryEdit().applied_to(entry, at, CONTENT_MAX)
        versions += [version_of(diary), version_of(entry)]
    assert len(set(versions)) == len(versions)


def test_any_caller_that_expects_nothing_changes_any_version() -> None:
    assert ANY_VERSION.is_any
    ANY_VERSION.check(a_diary())
    assert ANY_VERSION.unless_changed_since(a_diary()) is None


def test_a_version_that_was_read_is_the_one_that_must_still_be_there() -> None:
    diary = a_diary()
    expected = Expected(frozenset({"another", version_of(diary)}))
    expected.check(diary)
    assert not expected.is_any
    assert expected.unless_changed_since(diary) == diary.updated_at


@pytest.mark.parametrize("versions", [frozenset(), frozenset({"another"}), frozenset({version_of(a_diary())})])
def test_no_other_version_is_changed(versions: frozenset[str]) -> None:
    with pytest.raises(StaleVersion):
        Expected(versions).check(a_diary())
    with pytest.raises(StaleVersion):
        Expected(versions).unless_changed_since(a_diary())


@given(entry=entries())
def test_the_name_of_a_version_says_when_it_was_made(entry: Entry) -> None:
    assert version_time(version_of(entry)) == entry.updated_at


@given(st.text())
@example("x.")
@example("x.ffffffffffffffffffffffffffff")
@example("x.1_0")
def test_any_other_text_may_say_nothing(text: str) -> None:
    assert version_time(text) is None or "." in text


def test_things_as_they_were_read_are_the_versions_expected() -> None:
    diary, entry = a_diary(), an_entry()
    expected = Expected.of(diary, entry)
    expected.check(diary)
    expected.check(entry)
    with pytest.raises(StaleVersion):
        expected.check(DiaryEdit().applied_to(diary, NOON))
