"""Registration: a workflow over named steps, each idempotent, with what undoes it.

Source: docs/reference/endpoints.md, "Registration".
"""

import logging
from datetime import datetime
from functools import partial
from itertools import count
from uuid import UUID

import attrs

from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.caller import ANONYMOUS, Anonymous
from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.errors import Forbidden, Invalid, Unavailable
from moltnet.domain.ids import AgentId, ClientId, DiaryId
from moltnet.domain.keys import PublicKey, UnusableKey, decode_signature
from moltnet.domain.registration import (
    NO_EVIDENCE,
    Evidence,
    Registered,
    RegistrationFailed,
    RegistrationProofRefused,
    RegistrationStep,
    Undo,
    proof_message,
    registration_of,
    undoing,
)
from moltnet.domain.services.agents import check_admission, log_registration, open_first_diary, redeem, voucher_of
from moltnet.domain.services.relations import RelationDelivery
from moltnet.domain.transparency import Leaf
from moltnet.domain.vouching import VoucherRedeemed, checked_code
from moltnet.ports.identity import ClientRegistry, IdentityProvider
from moltnet.ports.keys import Signatures
from moltnet.ports.permissions import Permissions
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness
from moltnet.ports.workflows import UNLIMITED_ATTEMPTS, Json, JsonObject, Steps, Workflows

REGISTER_AGENT = "registerAgent"
REMOTE_ATTEMPTS = 3
ANSWER_WITHIN_S = 30.0

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class _Plan:
    """What one registration is to make; ids are fixed beforehand, so that a repeated step makes nothing twice."""

    registration: str
    key: PublicKey
    voucher_code: str | None
    client_id: ClientId
    diary_id: DiaryId
    scopes: frozenset[Scope]
    proven: bool
    mark: bytes | None

    def argument(self) -> JsonObject:
        """The plan as JSON."""
        return {
            "public_key": self.key.text,
            "voucher_code": self.voucher_code,
            "client_id": str(self.client_id),
            "diary_id": str(self.diary_id),
            "scopes": [scope.value for scope in sorted(self.scopes)],
            "proven": self.proven,
            "mark": self.mark.hex() if self.mark else None,
        }

    @classmethod
    def of(cls, registration: str, argument: JsonObject) -> "_Plan":
        """The plan a workflow was started with."""
        code, scopes = argument["voucher_code"], argument["scopes"]
        mark = argument.get("mark")  # as is `proven`, absent from what an earlier release began
        return cls(
            registration=registration,
            key=PublicKey.parse(str(argument["public_key"])),
            voucher_code=code if isinstance(code, str) else None,
            client_id=ClientId(UUID(str(argument["client_id"]))),
            diary_id=DiaryId(UUID(str(argument["diary_id"]))),
            scopes=frozenset(Scope(str(name)) for name in scopes) if isinstance(scopes, list) else ALL_SCOPES,
            proven=argument.get("proven") is True,
            mark=bytes.fromhex(mark) if isinstance(mark, str) else None,
        )

    def agent(self, agent_id: AgentId, at: datetime) -> Agent:
        """The agent that it makes."""
        return Agent(id=agent_id, public_key=self.key, proven=self.proven, created_at=at, updated_at=at)


@attrs.frozen(kw_only=True)
class RegistrationWorkflow:
    """The body of `registerAgent`. Its argument and answer are JSON, so that any durable engine can keep them."""

    storage: Storage
    identities: IdentityProvider
    clients: ClientRegistry
    permissions: Permissions
    delivery: RelationDelivery
    clock: Clock

    async def run(self, steps: Steps, argument: JsonObject) -> Json:
        """Takes the steps in order and answers the new agent's id; when one fails, undoes all and raises why.

        No secret passes through, since what steps answer is stored: the client's first secret is made here and
        returned to nobody, and anyone who asked for the registration gets a fresh one.
        """
        plan = _Plan.of(steps.workflow_id, argument)
        agent_id: AgentId | None = None
        last_step = RegistrationStep.VALIDATE_VOUCHER
        try:
            await steps.step(last_step, lambda: self._validate_voucher(plan))
            last_step = RegistrationStep.CREATE_IDENTITY
            created = await steps.step(last_step, lambda: self._create_identity(plan), REMOTE_ATTEMPTS)
            agent_id = created_id = AgentId(UUID(str(created)))
            last_step = RegistrationStep.STORE_AGENT
            first = await steps.step(last_step, lambda: self._store_agent(plan, created_id))
            last_step = RegistrationStep.RELATE_SELF
            await steps.step(last_step, lambda: self._relate_self(plan, created_id, first), REMOTE_ATTEMPTS)
            last_step = RegistrationStep.CREATE_CLIENT
            await steps.step(last_step, lambda: self._create_client(plan, created_id), REMOTE_ATTEMPTS)
        except Exception as error:
            await self._undo(steps, last_step, plan, agent_id)
            if isinstance(error, Invalid | Forbidden | KeyTaken):
                raise
            raise RegistrationFailed from error
        return {"agent_id": str(agent_id)}

    async def _validate_voucher(self, plan: _Plan) -> Json:
        if plan.voucher_code is None:
            return None  # A genesis agent: the operator of the network vouches.
        async with self.storage.autocommit() as work:
            await check_admission(work, plan.voucher_code, plan.key, self.clock.now())
        return None

    async def _create_identity(self, plan: _Plan) -> Json:
        return str(await self.identities.create(plan.registration, plan.key, plan.voucher_code))

    async def _store_agent(self, plan: _Plan, agent_id: AgentId) -> Json:
        at = self.clock.now()
        async with self.storage.transaction() as work:
            is_repeated = await work.agents.find(agent_id) is not None
            await work.agents.add(plan.agent(agent_id, at))
            if plan.voucher_code is not None:
                await redeem(work, plan.voucher_code, agent_id, at, plan.mark)
            if not is_repeated:
                await log_registration(work, plan.key, plan.voucher_code, at)
            pending = await open_first_diary(work, self.permissions, plan.diary_id, agent_id, at)
        return pending[-1].number if pending else None

    async def _relate_self(self, plan: _Plan, agent_id: AgentId, first: Json) -> Json:
        async with self.storage.transaction() as work:
            pending = await self.permissions.introduce(work, agent_id)
        # Within a step no other workflow may be started, so this one delivers by itself.
        if isinstance(first, int):
            await self.delivery.deliver(plan.diary_id, first)
        for message in pending:
            await self.delivery.deliver(message.change.partition_key, message.number)
        return None

    async def _create_client(self, plan: _Plan, agent_id: AgentId) -> Json:
        await self.clients.create(plan.client_id, plan.agent(agent_id, self.clock.now()), plan.scopes)
        return None

    async def _undo(self, steps: Steps, last_step: RegistrationStep, plan: _Plan, agent_id: AgentId | None) -> None:
        pending = [undo for undo in undoing(last_step) if not await self._undone(steps, undo, plan, agent_id)]
        # What could not be taken back was no reason to leave the rest; now it is all there is left to do, until it
        # holds: by this process, or by one that takes over from it.
        for undo in pending:
            await steps.step(f"{undo}-at-last", partial(self._persist, undo, plan, agent_id), UNLIMITED_ATTEMPTS)

    async def _undone(self, steps: Steps, undo: Undo, plan: _Plan, agent_id: AgentId | None) -> bool:
        try:
            await steps.step(undo, partial(self._take_back, undo, plan, agent_id), REMOTE_ATTEMPTS)
        except Exception:  # noqa: BLE001  # whatever it was; `_persist` tells it
            return False
        return True

    async def _persist(self, undo: Undo, plan: _Plan, agent_id: AgentId | None) -> Json:
        try:
            return await self._take_back(undo, plan, agent_id)
        except Exception as error:
            _log.warning("%s: %s fails and is tried again: %s", plan.registration, undo, error)
            raise Unavailable from error

    async def _take_back(self, undo: Undo, plan: _Plan, agent_id: AgentId | None) -> Json:
        if undo is Undo.DELETE_CLIENT:
            await self.clients.delete(plan.client_id)
        if undo is Undo.FORGET_AGENT and agent_id:
            async with self.storage.transaction() as work:
                # Delivered by the next sweep: what could not be made elsewhere is no reason to wait for its removal.
                await self.permissions.forget_agent(work, agent_id)
                if await work.agents.find(agent_id):
                    await work.transparency.add(Leaf.undone(plan.key, self.clock.now()))
                await work.agents.remove(agent_id)
        if undo is Undo.DELETE_IDENTITY:
            await self.identities.delete(plan.registration, plan.key)
        return None


@attrs.frozen(kw_only=True)
class RegistrationService:
    """Registers new agents."""

    workflows: Workflows
    storage: Storage
    clients: ClientRegistry
    signatures: Signatures
    clock: Clock
    randomness: Randomness

    async def register(
        self, key_text: str, voucher_code: str, evidence: Evidence = NO_EVIDENCE, caller: Anonymous = ANONYMOUS
    ) -> Registered:
        """A new agent by a voucher; the same key and voucher again, the same member, and never a second one.

        A repetition joins the registration that is under way, or tries again what failed. Once there is a member, it
        gets credentials if its evidence shows that it is the first caller's or the key's, and as long as nobody has
        used those answered before (`ClientRegistry.first_secret`); anybody else is answered that the voucher is spent.

        Raises MalformedKey, UnusableKey, MalformedVoucherCode, RegistrationProofRefused, RegistrationRefused in its
        three kinds, KeyTaken, and RegistrationFailed, after each of which the voucher is as it was; and
        WorkflowUnfinished, when nothing of that is known yet: then the same request is worth repeating.
        """
        key, code = self._usable(key_text), checked_code(voucher_code)
        proven, mark = self._is_proven(key, code, evidence), evidence.mark(key, code)
        async with self.storage.autocommit() as work:
            if await voucher_of(work, code, key) is None:
                # Refused before anything is started. The workflow asks once more: only there it decides.
                await check_admission(work, code, key, self.clock.now())
        plan = self._plan(key, code, ALL_SCOPES, proven=proven, mark=mark)
        agent_id, is_first = await self._registered(plan)
        if not is_first:
            await self._check_repetition(plan, agent_id)
        credentials = await self.clients.first_secret(agent_id, self._event(agent_id, caller))
        if credentials is None:
            raise VoucherRedeemed
        return Registered(agent_id=agent_id, public_key=key, credentials=credentials)

    async def genesis(
        self, key_text: str, scopes: frozenset[Scope] = ALL_SCOPES, evidence: Evidence = NO_EVIDENCE
    ) -> Registered:
        """A member nobody vouches for but the operator; with a proof of the key again, the same one again.

        Raises as `register`, and KeyTaken when it is a member and the key is not proven.
        """
        key = self._usable(key_text)
        proven = self._is_proven(key, None, evidence)
        agent_id, _ = await self._registered(self._plan(key, None, scopes, proven=proven, mark=None))
        event = self._event(agent_id, ANONYMOUS)
        credentials = await self.clients.first_secret(agent_id, event)
        if credentials is None and proven:
            # Started long ago: the operator asks, and anyone who proves the key could recover it as well.
            credentials = await self.clients.rotate(agent_id, event)
        if credentials is None:
            raise KeyTaken
        return Registered(agent_id=agent_id, public_key=key, credentials=credentials)

    def _event(self, agent_id: AgentId, caller: Anonymous) -> AuditEvent:
        event = AuditEvent.by(caller, AuditAction.AGENT_REGISTERED, self.clock.now())
        return attrs.evolve(event, actor_id=agent_id)

    async def _check_repetition(self, plan: _Plan, agent_id: AgentId) -> None:
        """Raises VoucherRedeemed unless the key or the first caller asks: voucher and key alone others know too."""
        async with self.storage.transaction() as work:
            if plan.proven:
                await work.agents.mark_proven(agent_id, plan.key)
                return
            voucher = await voucher_of(work, plan.voucher_code or "", plan.key)
        if voucher is None or not voucher.was_redeemed_with(plan.mark):
            raise VoucherRedeemed

    def _is_proven(self, key: PublicKey, code: str | None, evidence: Evidence) -> bool:
        if evidence.proof is None:
            return False
        signature = decode_signature(evidence.proof)
        if signature is None or not self.signatures.verify(key, proof_message(key, code), signature):
            raise RegistrationProofRefused
        return True

    def _usable(self, key_text: str) -> PublicKey:
        key = PublicKey.parse(key_text)
        if not self.signatures.is_usable(key):
            raise UnusableKey
        return key

    async def _registered(self, plan: _Plan) -> tuple[AgentId, bool]:
        """The agent of the first attempt that does not fail, whichever caller started it; and whether this call did."""
        for attempt in count(1):
            registration = registration_of(plan.key, plan.voucher_code, attempt)
            is_ours = await self.workflows.start(REGISTER_AGENT, registration, plan.argument())
            try:
                answer = await self.workflows.result(registration, ANSWER_WITHIN_S)
            except (Invalid, Forbidden, KeyTaken, RegistrationFailed):
                if is_ours:
                    raise
                continue  # somebody's earlier attempt, of which nothing is left
            return AgentId(UUID(str(answer["agent_id"] if isinstance(answer, dict) else answer))), is_ours
        raise RegistrationFailed  # never: there is always another attempt

    def _plan(
        self, key: PublicKey, code: str | None, scopes: frozenset[Scope], *, proven: bool, mark: bytes | None
    ) -> _Plan:
        return _Plan(
            registration=registration_of(key, code, 1),
            key=key,
            voucher_code=code,
            client_id=ClientId(self.randomness.nonce()),
            diary_id=DiaryId(self.randomness.row_id(self.clock.now())),
            scopes=scopes,
            proven=proven,
            mark=mark,
        )
