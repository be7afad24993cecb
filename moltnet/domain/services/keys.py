"""Another key for an agent: its identity, and all that is its own, outlive the key.

Source: docs/reference/signatures.md, "Another key".
"""

import base64
import hashlib
from datetime import datetime
from uuid import UUID

import attrs

from moltnet.domain.agents import Agent, AgentNotFound, ProfileNotFound
from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.caller import Caller
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import (
    AgentKey,
    ChangedKey,
    KeyChange,
    KeyMoved,
    KeyStatement,
    SignedStatement,
    StatementNotSigned,
    statement_bytes,
)
from moltnet.domain.keys import Fingerprint, UnusableKey, decode_signature
from moltnet.domain.lost_keys import LostKeyOver, LostKeyStatement
from moltnet.domain.transparency import ChangeCause, Leaf
from moltnet.ports.identity import ClientRegistry, IdentityProvider
from moltnet.ports.keys import Signatures
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock
from moltnet.ports.workflows import UNLIMITED_ATTEMPTS, Json, JsonObject, Steps, Workflows

CHANGE_KEY = "changeKey"
ANSWER_WITHIN_S = 30.0


@attrs.frozen(kw_only=True)
class KeyChangeWorkflow:
    """The body of `changeKey`: the change in one transaction, then the services that keep a key of their own."""

    storage: Storage
    identities: IdentityProvider
    clients: ClientRegistry
    clock: Clock

    async def run(self, steps: Steps, argument: JsonObject) -> Json:
        """Raises KeyMoved, KeyTaken and LostKeyOver, and then nothing was changed.

        Whatever else fails is tried until it holds.
        """
        change = _change(argument)
        address = argument["address"]
        await steps.step("change-key", lambda: self._replace(change, address if isinstance(address, str) else None))
        await steps.step("replace-identity-key", lambda: self._pass_on(change.agent_id), UNLIMITED_ATTEMPTS)
        await steps.step("end-clients", lambda: self._end_clients(change.agent_id), UNLIMITED_ATTEMPTS)
        return None

    async def _replace(self, change: KeyChange, address: str | None) -> Json:
        async with self.storage.transaction() as work:
            if not await work.keys.replace(change):
                if await _is_done(work, change):
                    return None
                raise KeyMoved
            await _end_waiting(work, change)
            # With the key end the tokens, secrets and browsers of the agent, and recoveries that the key began.
            await work.clients.end_of_agent(change.agent_id, change.at)
            await work.recovery_codes.end_of_agent(change.agent_id)
            await key_changed(work, change, address)
        return None

    async def _pass_on(self, agent_id: AgentId) -> Json:
        """Passes on the key that the agent has by now: steps of two changes may come in any order."""
        agent = await self._agent(agent_id)
        if agent is not None:
            await self.identities.replace_key(agent)
        return None

    async def _end_clients(self, agent_id: AgentId) -> Json:
        # No secret passes through a workflow: this one is returned to nobody.
        try:
            await self.clients.rotate(agent_id)
        except ProfileNotFound:
            return None
        return None

    async def _agent(self, agent_id: AgentId) -> Agent | None:
        async with self.storage.autocommit() as work:
            return await work.agents.find(agent_id)


async def key_changed(work: UnitOfWork, change: KeyChange, address: str | None) -> None:
    """Records that an agent has another key, in the transaction of the change."""
    detail = f"{change.former.fingerprint} to {change.key.fingerprint}"
    action = AuditAction.KEY_REPLACED
    event = AuditEvent(at=change.at, action=action, actor_id=change.agent_id, address=address, detail=detail)
    await work.audit.add(event)
    leaf = Leaf.key_changed(change.former.fingerprint, change.key, change.statement.cause, change.at)
    await work.transparency.add(leaf)


async def _end_waiting(work: UnitOfWork, change: KeyChange) -> None:
    """Ends what waited for the key's place; raises LostKeyOver where the change was to be that, and was vetoed."""
    if change.statement.cause is not ChangeCause.RECOVERY:
        await work.lost_keys.end_of_agent(change.agent_id, change.at)
    elif not await work.lost_keys.end(change.key, change.at):
        raise LostKeyOver


async def _is_done(work: UnitOfWork, change: KeyChange) -> bool:
    """Whether an earlier run of the step made the change."""
    known = await work.keys.find(change.key.fingerprint)
    return known is not None and known.agent_id == change.agent_id and known.statement == change.statement


@attrs.frozen(kw_only=True)
class KeyService:
    """Replaces agents' keys, and says which keys they had."""

    storage: Storage
    workflows: Workflows
    clients: ClientRegistry
    signatures: Signatures
    clock: Clock
    network: NetworkAddress

    async def rotate(self, caller: Caller, payload: bytes, former_signature: str, signature: str) -> ChangedKey:
        """Gives the caller another key, by a statement that both keys signed; fresh credentials come with it.

        Secrets, tokens and browsers of the former key end at once. Raises MissingScope for a token that was narrowed,
        MalformedStatement, StatementRefused, StatementNotSigned, UnusableKey, KeyMoved, KeyTaken, and
        WorkflowUnfinished, where the key is replaced, but a service that must learn of it does not answer: then the
        new key is proven by recovery.
        """
        caller.require_all()
        statement = KeyStatement.parse(payload)
        at = self.clock.now()
        statement.check(caller, self.network, at)
        if not self.signatures.is_usable(statement.key):
            raise UnusableKey
        signed = self._signed(statement, payload, former_signature, signature)
        change = KeyChange(
            agent_id=caller.agent_id, former=statement.former, key=statement.key, at=at, statement=signed
        )
        workflow_id = f"key-{hashlib.sha256(payload).hexdigest()}"
        await self.workflows.start(CHANGE_KEY, workflow_id, change_argument(change, caller.address))
        await self.workflows.result(workflow_id, ANSWER_WITHIN_S)
        credentials = await self.clients.rotate(caller.agent_id, key=statement.key)
        return ChangedKey.of(statement.key, credentials)

    async def history(self, fingerprint: Fingerprint) -> list[AgentKey]:
        """The keys of the agent that has a fingerprint, or had it, the first one first; raises AgentNotFound."""
        async with self.storage.snapshot() as work:
            known = await work.keys.find(fingerprint)
            if known is None:
                raise AgentNotFound(fingerprint)
            return await work.keys.of_agent(known.agent_id)

    def _signed(
        self, statement: KeyStatement, payload: bytes, former_signature: str, signature: str
    ) -> SignedStatement:
        """The statement with its signatures; raises StatementNotSigned."""
        former, new = decode_signature(former_signature), decode_signature(signature)
        if former is None or new is None:
            raise StatementNotSigned
        signed = SignedStatement(payload=payload, former_signature=former, signature=new)
        if not is_signed(statement, signed, self.signatures):
            raise StatementNotSigned
        return signed


def is_signed(statement: KeyStatement, signed: SignedStatement, signatures: Signatures) -> bool:
    """Whether both keys of a statement signed it."""
    data = statement_bytes(signed.payload)
    if signed.former_signature is None:
        return False
    return signatures.verify(statement.former, data, signed.former_signature) and signatures.verify(
        statement.key, data, signed.signature
    )


def change_argument(change: KeyChange, address: str = "") -> JsonObject:
    """A change as the workflow is given it."""
    statement = change.statement
    former_signature = statement.former_signature
    return {
        "payload": _text(statement.payload),
        "former_signature": None if former_signature is None else _text(former_signature),
        "signature": _text(statement.signature),
        "at": change.at.isoformat(),
        "agent_id": str(change.agent_id),
        "address": address or None,
    }


def _change(argument: JsonObject) -> KeyChange:
    payload, former_signature = _bytes(argument["payload"]), argument["former_signature"]
    statement = LostKeyStatement.parse(payload) if former_signature is None else KeyStatement.parse(payload)
    return KeyChange(
        agent_id=AgentId(UUID(str(argument["agent_id"]))),
        former=statement.former,
        key=statement.key,
        at=datetime.fromisoformat(str(argument["at"])),
        statement=SignedStatement(
            payload=payload,
            former_signature=None if former_signature is None else _bytes(former_signature),
            signature=_bytes(argument["signature"]),
        ),
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(value: Json) -> bytes:
    return base64.b64decode(str(value))
