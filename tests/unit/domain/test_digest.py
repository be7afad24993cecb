"""What reflecting shows."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.digest import DAYS_MAX, ENTRIES_MAX, Digest, Reflection, ReflectionOutOfLimits, digest
from moltnet.domain.ids import EntryId
from tests.support.builders import NOON, an_entry, an_id


def test_seven_days_and_fifty_entries_by_default() -> None:
    assert (Reflection().days, Reflection().max_entries) == (7, 50)


@pytest.mark.parametrize(("days", "most"), [(1, 1), (DAYS_MAX, ENTRIES_MAX)])
def test_limits_are_within(days: int, most: int) -> None:
    assert Reflection(days=days, max_entries=most).since(NOON) == NOON - timedelta(days=days)


@pytest.mark.parametrize(("days", "most"), [(0, 1), (DAYS_MAX + 1, 1), (1, 0), (1, ENTRIES_MAX + 1), (-1, 1)])
def test_what_is_outside_is_refused(days: int, most: int) -> None:
    with pytest.raises(ReflectionOutOfLimits):
        Reflection(days=days, max_entries=most)


@given(superseded=st.lists(st.booleans(), max_size=12), most=st.integers(1, 12))
def test_the_latest_are_taken_then_superseded_ones_left_out(superseded: list[bool], most: int) -> None:
    entries = [an_entry(superseded_by=EntryId(an_id()) if old else None) for old in superseded]
    reflection = Reflection(days=3, max_entries=most)
    assert digest(iter(entries), reflection, NOON) == Digest(
        entries=tuple(entry for entry in entries[:most] if entry.superseded_by is None),
        period_days=3,
        generated_at=NOON,
    )
