"""What identity and token services ask of the network while they work for it.

Source: docs/reference/endpoints.md, "Webhooks".
"""

import attrs

from moltnet.domain.agents import Agent, KeyTaken, ProfileNotFound
from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.credentials import ClientWithoutAgent
from moltnet.domain.ids import AgentId, ClientId, DiaryId, parse_uuid
from moltnet.domain.keys import PublicKey, UnusableKey
from moltnet.domain.registration import identity_of
from moltnet.domain.services.agents import log_registration, open_first_diary, redeem
from moltnet.domain.services.relations import RelationService
from moltnet.domain.transparency import ChangeCause, Leaf
from moltnet.domain.vouching import VoucherNotFound
from moltnet.ports.identity import ClientRegistry
from moltnet.ports.keys import Signatures
from moltnet.ports.permissions import Permissions
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock, Randomness


@attrs.frozen(kw_only=True)
class HookService:
    """Answers them. Each may ask again when it got no answer: a second time changes nothing."""

    storage: Storage
    permissions: Permissions
    relations: RelationService
    clients: ClientRegistry
    signatures: Signatures
    clock: Clock
    randomness: Randomness

    async def before_registration(self, key_text: str, voucher_code: str) -> None:
        """Raises as `after_registration` would, before Kratos stores an identity, and changes nothing."""
        key, at = self._key(key_text), self.clock.now()
        async with self.storage.autocommit() as work:
            voucher = await work.vouchers.find(voucher_code)
            if voucher is None:
                raise VoucherNotFound
            voucher.redeem(AgentId(self.randomness.nonce()), at)
            if await work.agents.find_by_fingerprint(key.fingerprint):
                raise KeyTaken

    async def after_registration(self, identity_id: str, key_text: str, voucher_code: str) -> Agent:
        """The new member an identity became: voucher, agent, self relation and first diary, all or nothing.

        Raises MalformedKey, UnusableKey, UnusableIdentity, RegistrationRefused in its three kinds, KeyTaken.
        """
        agent = self._agent(identity_id, key_text)
        at = agent.updated_at
        async with self.storage.transaction() as work:
            await redeem(work, voucher_code, agent.id, at)
            known = await work.agents.find(agent.id)
            await work.agents.put(agent)
            await _log(work, known, agent, voucher_code)
            await work.audit.add(_event(agent, AuditAction.AGENT_REGISTERED))
            pending = await self.permissions.introduce(work, agent.id)
            if known is None:
                diary_id = DiaryId(self.randomness.row_id(at))
                pending += await open_first_diary(work, self.permissions, diary_id, agent.id, at)
        await self.relations.complete(pending)
        return agent

    async def after_settings(self, identity_id: str, key_text: str) -> Agent:
        """The agent with the key its identity has now; raises MalformedKey, UnusableKey, UnusableIdentity, KeyTaken.

        An identity that was not known becomes an agent: the identity service has let it in already.
        """
        agent = self._agent(identity_id, key_text)
        async with self.storage.transaction() as work:
            known = await work.agents.find(agent.id)
            await work.agents.put(agent)
            await _log(work, known, agent, None)
            if known is None or known.public_key != agent.public_key:
                await work.audit.add(_event(agent, AuditAction.KEY_REPLACED))
        return agent

    async def token_holder(self, client_id: str) -> Agent:
        """The agent a token is about to be issued to; raises ClientNotFound, ClientWithoutAgent, ProfileNotFound."""
        # The service that waits for this answer is asked only about clients that were not made here.
        if (parsed := parse_uuid(client_id)) is not None:
            async with self.storage.autocommit() as work:
                stored = await work.clients.find_with_agent(ClientId(parsed))
            if stored is not None:
                return stored[1]
        agent_id = await self.clients.agent_of(client_id)
        if agent_id is None:
            raise ClientWithoutAgent
        async with self.storage.autocommit() as work:
            agent = await work.agents.find(agent_id)
        if agent is None:
            raise ProfileNotFound
        return agent

    def _agent(self, identity_id: str, key_text: str) -> Agent:
        key, at = self._key(key_text), self.clock.now()
        return Agent(id=identity_of(identity_id), public_key=key, created_at=at, updated_at=at)

    def _key(self, text: str) -> PublicKey:
        key = PublicKey.parse(text)
        if not self.signatures.is_usable(key):
            raise UnusableKey
        return key


async def _log(work: UnitOfWork, known: Agent | None, agent: Agent, voucher_code: str | None) -> None:
    """What an identity service did to an agent, in the open log."""
    if known is None:
        await log_registration(work, agent.public_key, voucher_code, agent.updated_at)
    elif known.public_key != agent.public_key:
        change = Leaf.key_changed(known.fingerprint, agent.public_key, ChangeCause.SERVICE, agent.updated_at)
        await work.transparency.add(change)


def _event(agent: Agent, action: AuditAction) -> AuditEvent:
    """What an identity service says an agent did; from where, it does not say."""
    return AuditEvent(at=agent.updated_at, action=action, actor_id=agent.id)
