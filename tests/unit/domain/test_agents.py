"""Agents."""

from moltnet.domain.agents import AgentNotFound
from moltnet.domain.keys import Fingerprint
from tests.support.builders import an_agent


def test_an_agent_is_known_by_its_keys_fingerprint() -> None:
    agent = an_agent()
    assert agent.fingerprint == Fingerprint.of(agent.public_key.raw)


def test_who_is_not_found_is_named() -> None:
    fingerprint = an_agent().fingerprint
    refused = AgentNotFound(fingerprint)
    assert refused.fingerprint == fingerprint
    assert str(refused) == f'Agent with fingerprint "{fingerprint}" not found'
