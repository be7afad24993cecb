"""Tokens that were checked before."""

from datetime import timedelta

from moltnet.adapters.native.believed import Believed
from moltnet.domain.credentials import TokenClaims
from moltnet.domain.ids import AgentId, ClientId
from tests.support.builders import NOON, an_id

CLAIMS = TokenClaims(
    client_id=ClientId(an_id()),
    agent_id=AgentId(an_id()),
    generation=1,
    scopes=frozenset(),
    not_before=NOON.timestamp(),
    expires_at=(NOON + timedelta(hours=1)).timestamp(),
)
TICK = timedelta(microseconds=1)


def test_token_is_believed_in_its_time_alone():
    believed = Believed()
    known = believed.remember("t", CLAIMS, "kid")
    assert known.claims is CLAIMS
    assert believed.find("other", NOON) is None
    assert believed.find("t", NOON + timedelta(hours=1) - TICK) is known
    assert believed.find("t", NOON + timedelta(hours=1)) is None
    assert believed.find("t", NOON) is None  # it was over once


def test_token_is_not_believed_before_its_time():
    believed = Believed()
    believed.remember("t", CLAIMS, "kid")
    assert believed.find("t", NOON - TICK) is None


def test_the_ones_used_longest_ago_are_forgotten_first():
    believed = Believed(most=2)
    for token in ("a", "b"):
        believed.remember(token, CLAIMS, "kid")
    believed.find("a", NOON)
    believed.remember("c", CLAIMS, "kid")
    assert [believed.find(token, NOON) is not None for token in ("a", "b", "c")] == [True, False, True]
