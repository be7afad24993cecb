"""Statements of another key (docs/reference/signatures.md, "Another key")."""

import json
from datetime import datetime, timedelta
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.credentials import CLOCK_SKEW
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import (
    STATEMENT_MAX,
    STATEMENT_TOLERANCE,
    AgentKey,
    KeyMoved,
    KeyStatement,
    MalformedStatement,
    StatementRefused,
    keys_at,
    statement_bytes,
)
from moltnet.domain.keys import PublicKey
from tests.support.builders import NOON, a_caller, a_public_key, an_agent, an_id
from tests.support.strategies import moments, texts

NETWORK = NetworkAddress.of("https://moltnet.example")
AGENT = an_agent()
CALLER = a_caller(agent=AGENT)
MILLISECOND = timedelta(milliseconds=1)


def a_statement() -> KeyStatement:
    return KeyStatement(
        network=NETWORK.text, agent_id=AGENT.id, former=AGENT.public_key, key=a_public_key(), created_at=NOON
    )


@given(
    network=texts(60),
    agent_id=st.uuids().map(AgentId),
    former=st.binary(min_size=32, max_size=32),
    key=st.binary(min_size=32, max_size=32),
    at=moments(),
)
def test_a_statement_is_read_from_its_payload_and_from_no_other_text(
    network: str, agent_id: AgentId, former: bytes, key: bytes, at: datetime
) -> None:
    statement = KeyStatement(
        network=network,
        agent_id=agent_id,
        former=PublicKey(former),
        key=PublicKey(key),
        created_at=at.replace(microsecond=0),
    )
    payload = statement.payload
    assert KeyStatement.parse(payload) == statement
    for other in (payload + b" ", b" " + payload, json.dumps(json.loads(payload)).encode()):
        with pytest.raises(MalformedStatement):
            KeyStatement.parse(other)


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr).map(str.encode)
)
def test_what_is_no_statement_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedStatement):
        KeyStatement.parse(payload)


@pytest.mark.parametrize("name", ["kind", "network", "agent", "from", "to", "createdAt"])
@pytest.mark.parametrize("value", [None, 7, "", "x", "\0", [], {}, "\ud800"])
def test_a_statement_with_another_member_is_refused_or_says_something_else(name: str, value: object) -> None:
    statement = a_statement()
    members = {**json.loads(statement.payload), name: value}
    payload = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
    try:
        assert KeyStatement.parse(payload) != statement
    except MalformedStatement:
        return
    assert name == "network"  # any text may name one; which it must be, is checked


def test_a_huge_payload_is_not_read() -> None:
    with pytest.raises(MalformedStatement):
        KeyStatement.parse(b'{"network":"' + b"x" * STATEMENT_MAX + b'"}')
    with pytest.raises(MalformedStatement):
        KeyStatement.parse(b"[" * STATEMENT_MAX)


@pytest.mark.parametrize("apart", [STATEMENT_TOLERANCE, -STATEMENT_TOLERANCE])
def test_a_statement_holds_for_its_agent_network_and_time_alone(apart: timedelta) -> None:
    statement = a_statement()
    statement.check(CALLER, NETWORK, NOON + apart)
    step = MILLISECOND if apart > timedelta() else -MILLISECOND
    for refused in (
        lambda: statement.check(CALLER, NETWORK, NOON + apart + step),
        lambda: statement.check(CALLER, NetworkAddress.of("https://other.example"), NOON),
        lambda: attrs.evolve(statement, agent_id=AgentId(an_id())).check(CALLER, NETWORK, NOON),
        lambda: attrs.evolve(statement, key=statement.former).check(CALLER, NETWORK, NOON),
    ):
        with pytest.raises(StatementRefused):
            refused()
    with pytest.raises(KeyMoved):
        attrs.evolve(statement, former=a_public_key()).check(CALLER, NETWORK, NOON)


def test_the_bytes_that_are_signed_are_those_of_the_page() -> None:
    """The example of docs/reference/signatures.md, "Another key"."""
    former, key = (NaclKeyPair(bytes.fromhex(seed)) for seed in SEEDS)
    statement = KeyStatement(
        network="https://moltnet.example",
        agent_id=AgentId(UUID("01890a5d-ac96-774b-bcce-b302099a8057")),
        former=former.public_key,
        key=key.public_key,
        created_at=NOON.replace(hour=9, minute=30, day=31),
    )
    assert statement.payload.decode() == PAYLOAD
    signed = statement_bytes(statement.payload)
    assert signed == b"DSSEv1 42 application/vnd.moltnet.key-change.v1+json 265 " + PAYLOAD.encode()
    assert (former.sign(signed), key.sign(signed)) == SIGNATURES


# RFC 8032 §7.1, tests 1 and 2.
SEEDS = (
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
)
PAYLOAD = (
    '{"agent":"01890a5d-ac96-774b-bcce-b302099a8057","createdAt":"2026-01-31T09:30:00.000Z","from":"ed255'
    '19:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=","kind":"key-change","network":"https://moltnet.exam'
    'ple","to":"ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="}'
)
SIGNATURES = (
    "EEMP6gI+8P/Q1XBtOP0umb3fC9hL4lgTQwAbfo8okWRypDzzdpanMQvK1rO1/wB2UkQ+DIMREhJ+a1837uOxBQ==",
    "aeWHcixFEr792bk48FDwx5xuulfnkNBQXk5chSfh9y8Ztapz6IysQoPy1qifK2000lenji60I3Owv+asV3ScDw==",
)


def test_keys_are_an_agents_for_their_time() -> None:
    first, second = a_public_key(), a_public_key()
    changed = NOON + timedelta(days=1)
    history = [
        AgentKey(agent_id=AGENT.id, public_key=first, since=NOON, until=changed),
        AgentKey(agent_id=AGENT.id, public_key=second, since=changed),
    ]
    assert keys_at(history, NOON - timedelta(days=1)) == [first]  # before all that is known
    assert keys_at(history, NOON) == [first]
    assert keys_at(history, changed - CLOCK_SKEW - MILLISECOND) == [first]
    assert keys_at(history, changed) == [first, second]  # the hosts' clocks may differ
    assert keys_at(history, changed + CLOCK_SKEW) == [second]
    assert keys_at([], NOON) == []
