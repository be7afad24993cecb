from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.mcp.sessions import Sessions

SECRET = b"s" * 32


def test_ids_are_uuids_and_no_two_are_alike():
    ids = {Sessions(SECRET).new() for _ in range(100)}
    assert len(ids) == 100
    assert all(str(UUID(each)) == each and UUID(each).version == 4 for each in ids)


def test_another_process_with_the_same_secret_knows_them():
    session_id = Sessions(SECRET).new()
    assert Sessions(SECRET).knows(session_id)
    assert Sessions(SECRET).knows(session_id.upper())
    assert not Sessions(b"t" * 32).knows(session_id)


def test_a_made_up_id_is_not_known():
    assert not any(Sessions(SECRET).knows(str(uuid4())) for _ in range(100))


@pytest.mark.parametrize(
    "text", ["", "x", "\0", "\ud800", "\uff11" * 32, "x" * 100_000, "00000000-0000-0000-0000-000000000000"]
)
def test_a_text_that_is_no_id_is_not_known(text):
    assert not Sessions(SECRET).knows(text)


@given(st.text())
def test_no_text_breaks_it(text):
    sessions = Sessions(SECRET)
    assert not sessions.knows(text)
    assert not sessions.end(text)


def test_a_session_ends_once():
    sessions = Sessions(SECRET)
    session_id = sessions.new()
    assert sessions.end(session_id)
    assert not sessions.knows(session_id)
    assert not sessions.end(session_id.upper())
