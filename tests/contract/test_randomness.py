"""The port `Randomness`."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltnet.adapters.memory.system import MemoryRandomness
from moltnet.adapters.system import SystemRandomness
from moltnet.ports.system import Randomness
from tests.support.builders import NOON

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone
# The port keeps nothing between two examples that could make one depend on the other.
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["memory", "system"])
def randomness(request: pytest.FixtureRequest) -> Randomness:
    return MemoryRandomness(seed=1) if request.param == "memory" else SystemRandomness()


@given(at=TIMES)
@SHARED
def test_row_id_is_a_uuid_of_version_7_and_of_its_time(randomness: Randomness, at: datetime):
    made = randomness.row_id(at)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert EPOCH + timedelta(milliseconds=made.int >> 80) == at.replace(microsecond=at.microsecond // 1000 * 1000)


@given(times=st.lists(TIMES, min_size=2))
@SHARED
def test_row_ids_of_later_times_are_greater(randomness: Randomness, times: list[datetime]):
    made = [randomness.row_id(at) for at in sorted(times)]
    assert made == sorted(set(made))


def test_row_ids_of_one_time_are_in_the_order_they_were_made(randomness: Randomness):
    made = [randomness.row_id(NOON) for _ in range(2000)]
    assert made == sorted(set(made))


def test_row_id_of_an_earlier_time_is_of_that_time(randomness: Randomness):
    later, earlier = randomness.row_id(NOON), randomness.row_id(NOON - timedelta(seconds=1))
    assert earlier < later


def test_nonces_are_uuids_of_version_4(randomness: Randomness):
    made = {randomness.nonce() for _ in range(1000)}
    assert len(made) == 1000
    assert {(each.version, each.variant) for each in made} == {(4, uuid.RFC_4122)}


@pytest.mark.parametrize("size", [0, 1, 32])
def test_secret_has_its_size(randomness: Randomness, size: int):
    assert len(randomness.secret(size)) == size


def test_secrets_differ(randomness: Randomness):
    assert len({randomness.secret(16) for _ in range(1000)}) == 1000


def test_digits_are_decimal_and_as_many_as_asked_for(randomness: Randomness):
    made = [randomness.digits(8) for _ in range(1000)]
    assert all(len(each) == 8 and each.isascii() and each.isdigit() for each in made)
    assert set("".join(made)) == set("0123456789")
    assert {each[0] for each in made} == set("0123456789")
