"""Another key for an agent, made where its key is (docs/reference/signatures.md, "Another key").

The new key is stored before the network hears of it, and the former one until the network has answered: whatever
happens in between, the next try finishes what was begun.
"""

import asyncio
from datetime import UTC, datetime

from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Unauthenticated
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import KeyMoved, KeyStatement, statement_bytes
from moltnet.domain.records import base64_text
from moltnet.domain.recovery import InvalidProof
from moltnet.entrypoints.container.remote import key_pair_of, new_key_pair
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.signing import NoKey, prove_key
from moltnet.entrypoints.operations import keys as operations
from moltnet.entrypoints.operations.keys import RotateKey
from moltnet.ports.keys import KeyPair, Keyring


async def rotated(agent: Agent, keys: KeyPair | None, network: str | None) -> tuple[KeyPair, ClientSecret]:
    """The agent's new key pair and its credentials, both stored in its keyring if there is one.

    An earlier try that was not answered is finished with the key that it made. Raises as `Agent.rotate_key`.
    """
    if agent.keys is None:
        raise NoKey
    keyring, address = agent.transport.keyring, network or agent.transport.network
    begun = await asyncio.to_thread(keyring.next_key) if keyring and keys is None else None
    chosen = keys or (key_pair_of(begun) if begun else new_key_pair())
    if keyring is not None:
        await asyncio.to_thread(keyring.prepare_next, chosen.seed_text)
    try:
        agent_id = (await agent.agents.whoami()).agent_id
        credentials = await _asked(agent, agent.keys, chosen, agent_id, address)
    except (Unauthenticated, KeyMoved) as refused:
        if begun is None:
            raise
        # The try whose answer was lost may have been carried out: then the new key is the agent's.
        try:
            credentials = await prove_key(agent, chosen, network=address)
        except InvalidProof:
            raise refused from None
    await stored(keyring, chosen, credentials)
    return chosen, credentials


async def stored(keyring: Keyring | None, keys: KeyPair, credentials: ClientSecret) -> None:
    """Puts a key that the network has accepted in the place of the former one."""
    if keyring is not None:
        await asyncio.to_thread(keyring.replace_key, keys, credentials)


async def _asked(agent: Agent, former: KeyPair, keys: KeyPair, agent_id: AgentId, address: str) -> ClientSecret:
    statement = KeyStatement(
        network=NetworkAddress.of(address).text,
        agent_id=agent_id,
        former=former.public_key,
        key=keys.public_key,
        created_at=datetime.now(UTC),
    )
    payload = statement.payload
    signed = statement_bytes(payload)
    request = RotateKey(payload=base64_text(payload), former_signature=former.sign(signed), signature=keys.sign(signed))
    return (await agent.transport.call(operations.ROTATE, request)).credentials
