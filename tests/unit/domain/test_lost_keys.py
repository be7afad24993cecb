"""Statements of a lost key (docs/reference/signatures.md, "A lost key")."""

import json
from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import STATEMENT_TOLERANCE, MalformedStatement, StatementRefused
from moltnet.domain.keys import PublicKey
from moltnet.domain.lost_keys import COMPLETED_WITHIN, STATEMENT_LIFETIME, LostKey, LostKeyStatement, LostKeyWaits
from moltnet.domain.transparency import ChangeCause
from tests.support.builders import NOON, a_public_key, an_id
from tests.support.strategies import moments, texts
from tests.unit.domain.test_key_changes import SEEDS

NETWORK = NetworkAddress.of("https://moltnet.example")
MILLISECOND = timedelta(milliseconds=1)
WAITING = timedelta(days=7)


def a_statement() -> LostKeyStatement:
    return LostKeyStatement(network=NETWORK.text, former=a_public_key(), key=a_public_key(), created_at=NOON)


@given(
    network=texts(60),
    former=st.binary(min_size=32, max_size=32),
    key=st.binary(min_size=32, max_size=32),
    at=moments(),
)
def test_a_statement_is_read_from_its_payload_and_from_no_other_text(
    network: str, former: bytes, key: bytes, at: datetime
) -> None:
    statement = LostKeyStatement(
        network=network, former=PublicKey(former), key=PublicKey(key), created_at=at.replace(microsecond=0)
    )
    payload = statement.payload
    assert LostKeyStatement.parse(payload) == statement
    for other in (payload + b" ", json.dumps(json.loads(payload)).encode(), payload.replace(b"lost", b"change")):
        with pytest.raises(MalformedStatement):
            LostKeyStatement.parse(other)


def test_a_statement_holds_for_its_network_and_for_a_day() -> None:
    statement = a_statement()
    for apart in (-STATEMENT_TOLERANCE, timedelta(), STATEMENT_LIFETIME):
        statement.check(NETWORK, NOON + apart)
    for refused, network, apart in (
        (statement, NETWORK, -STATEMENT_TOLERANCE - MILLISECOND),
        (statement, NETWORK, STATEMENT_LIFETIME + MILLISECOND),
        (statement, NetworkAddress.of("https://other.example"), timedelta()),
        (attrs.evolve(statement, key=statement.former), NETWORK, timedelta()),
    ):
        with pytest.raises(StatementRefused):
            refused.check(network, NOON + apart)


def test_a_key_takes_the_former_ones_place_between_two_times() -> None:
    statement = a_statement()
    agent_id = AgentId(an_id())
    lost = LostKey.reported(statement, b"s" * 64, agent_id=agent_id, asked_by=agent_id, at=NOON, waiting=WAITING)
    due, expired = NOON + WAITING, NOON + WAITING + COMPLETED_WITHIN
    assert (lost.due_at, lost.expires_at) == (due, expired)
    with pytest.raises(LostKeyWaits):
        lost.change(due - MILLISECOND)
    change = lost.change(due)
    assert (change.agent_id, change.former, change.key, change.at) == (agent_id, statement.former, statement.key, due)
    assert (change.statement.cause, change.statement.payload) == (ChangeCause.RECOVERY, statement.payload)
    assert lost.is_open(expired - MILLISECOND)
    assert not lost.is_open(expired)
    assert not attrs.evolve(lost, ended_at=NOON).is_open(NOON)


def test_the_bytes_that_are_signed_are_those_of_the_page() -> None:
    """The example of docs/reference/signatures.md, "A lost key"."""
    former, key = (NaclKeyPair(bytes.fromhex(seed)) for seed in SEEDS)
    statement = LostKeyStatement(
        network="https://moltnet.example",
        former=former.public_key,
        key=key.public_key,
        created_at=NOON.replace(hour=9, minute=30, day=31),
    )
    assert statement.payload.decode() == PAYLOAD
    assert statement.signing_input == b"DSSEv1 40 application/vnd.moltnet.key-lost.v1+json 216 " + PAYLOAD.encode()
    assert key.sign(statement.signing_input) == SIGNATURE


PAYLOAD = (
    '{"createdAt":"2026-01-31T09:30:00.000Z","from":"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",'
    '"kind":"key-lost","network":"https://moltnet.example",'
    '"to":"ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="}'
)
SIGNATURE = "31xSqpzbI0/m7EgwcYYAA07kL1UI7lPyP/4U7RRKI68qGWJoEjte6MgzvpPvIkQxh4jPriV45+s8BsaIPegXDQ=="
