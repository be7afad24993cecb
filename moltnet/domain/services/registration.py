"""Registration: a workflow over named steps, each idempotent, with what undoes it (seed, Agent Registration)."""

from functools import partial
from uuid import UUID

import attrs

from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.errors import Forbidden, Invalid
from moltnet.domain.ids import AgentId, ClientId, DiaryId
from moltnet.domain.keys import PublicKey, UnusableKey
from moltnet.domain.registration import Registered, RegistrationFailed, RegistrationStep, Undo, undoing
from moltnet.domain.services.admission import open_first_diary, redeem
from moltnet.domain.vouching import VoucherNotFound, checked_code
from moltnet.ports.clock import Clock
from moltnet.ports.identity import IdentityProvider
from moltnet.ports.permissions import Permissions
from moltnet.ports.randomness import Randomness
from moltnet.ports.signatures import Signatures
from moltnet.ports.storage import Storage
from moltnet.ports.tokens import Clients
from moltnet.ports.workflows import Json, JsonObject, Steps, Workflows

REGISTER_AGENT = "registerAgent"
REMOTE_ATTEMPTS = 3


@attrs.frozen(kw_only=True)
class _Plan:
    """What one registration is to make; ids are fixed beforehand, so that a repeated step makes nothing twice."""

    registration: str
    key: PublicKey
    voucher_code: str | None
    client_id: ClientId
    diary_id: DiaryId
    scopes: frozenset[Scope]

    def argument(self) -> JsonObject:
        """The plan as JSON."""
        return {
            "public_key": self.key.text,
            "voucher_code": self.voucher_code,
            "client_id": str(self.client_id),
            "diary_id": str(self.diary_id),
            "scopes": [scope.value for scope in sorted(self.scopes)],
        }

    @classmethod
    def of(cls, registration: str, argument: JsonObject) -> "_Plan":
        """The plan a workflow was started with."""
        code, scopes = argument["voucher_code"], argument["scopes"]
        return cls(
            registration=registration,
            key=PublicKey.parse(str(argument["public_key"])),
            voucher_code=code if isinstance(code, str) else None,
            client_id=ClientId(UUID(str(argument["client_id"]))),
            diary_id=DiaryId(UUID(str(argument["diary_id"]))),
            scopes=frozenset(Scope(str(name)) for name in scopes) if isinstance(scopes, list) else ALL_SCOPES,
        )


@attrs.frozen(kw_only=True)
class RegistrationWorkflow:
    """The body of `registerAgent`. Its argument and answer are JSON, so that any durable engine can keep them."""

    storage: Storage
    identities: IdentityProvider
    clients: Clients
    permissions: Permissions
    clock: Clock

    async def run(self, steps: Steps, argument: JsonObject) -> Json:
        """Takes the steps in order and answers the new agent's id; when one fails, undoes all and raises why.

        No secret passes through, since what steps answer is kept: the client's first secret is made here and told
        nobody, and whoever asked for the registration gets a fresh one.
        """
        plan = _Plan.of(steps.workflow_id, argument)
        agent_id: AgentId | None = None
        reached = RegistrationStep.VALIDATE_VOUCHER
        try:
            await steps.step(reached, lambda: self._validate_voucher(plan))
            reached = RegistrationStep.CREATE_IDENTITY
            created = await steps.step(reached, lambda: self._create_identity(plan), REMOTE_ATTEMPTS)
            agent_id = known_id = AgentId(UUID(str(created)))
            reached = RegistrationStep.STORE_AGENT
            await steps.step(reached, lambda: self._store_agent(plan, known_id))
            reached = RegistrationStep.RELATE_SELF
            await steps.step(reached, lambda: self._relate_self(known_id), REMOTE_ATTEMPTS)
            reached = RegistrationStep.CREATE_CLIENT
            await steps.step(reached, lambda: self._create_client(plan, known_id), REMOTE_ATTEMPTS)
        except Exception as error:
            await self._undo(steps, reached, plan, agent_id)
            if isinstance(error, Invalid | Forbidden | KeyTaken):
                raise
            raise RegistrationFailed from error
        return {"agent_id": str(agent_id)}

    async def _validate_voucher(self, plan: _Plan) -> Json:
        if plan.voucher_code is None:
            return None  # A genesis agent: the operator of the network vouches.
        async with self.storage.reading() as work:
            voucher = await work.vouchers.find(plan.voucher_code)
            if voucher is None:
                raise VoucherNotFound
            voucher.redeem(voucher.issuer_id, self.clock.now())
            if await work.agents.find_by_key(plan.key):
                raise KeyTaken
        return None

    async def _create_identity(self, plan: _Plan) -> Json:
        return str(await self.identities.create(plan.registration, plan.key, plan.voucher_code))

    async def _store_agent(self, plan: _Plan, agent_id: AgentId) -> Json:
        at = self.clock.now()
        async with self.storage.writing() as work:
            await work.agents.add(Agent(id=agent_id, public_key=plan.key, created_at=at, updated_at=at))
            if plan.voucher_code is not None:
                await redeem(work, plan.voucher_code, agent_id, at)
            await open_first_diary(work, self.permissions, plan.diary_id, agent_id, at)
        return None

    async def _relate_self(self, agent_id: AgentId) -> Json:
        async with self.storage.writing() as work:
            await self.permissions.introduce(work, agent_id)
        return None

    async def _create_client(self, plan: _Plan, agent_id: AgentId) -> Json:
        at = self.clock.now()
        agent = Agent(id=agent_id, public_key=plan.key, created_at=at, updated_at=at)
        await self.clients.create(plan.client_id, agent, plan.scopes)
        return None

    async def _undo(self, steps: Steps, reached: RegistrationStep, plan: _Plan, agent_id: AgentId | None) -> None:
        failed: list[Exception] = []
        for undo in undoing(reached):
            try:
                await steps.step(undo, partial(self._take_back, undo, plan, agent_id), REMOTE_ATTEMPTS)
            except Exception as error:  # noqa: BLE001  # what cannot be taken back is no reason to leave the rest
                failed.append(error)
        if failed:
            raise failed[0]

    async def _take_back(self, undo: Undo, plan: _Plan, agent_id: AgentId | None) -> Json:
        if undo is Undo.DELETE_CLIENT:
            await self.clients.delete(plan.client_id)
        if undo is Undo.FORGET_AGENT and agent_id:
            async with self.storage.writing() as work:
                await work.agents.remove(agent_id)
        if undo is Undo.DELETE_IDENTITY:
            await self.identities.delete(plan.registration, plan.key)
        return None


@attrs.frozen(kw_only=True)
class RegistrationService:
    """Lets newcomers in."""

    workflows: Workflows
    clients: Clients
    signatures: Signatures
    clock: Clock
    randomness: Randomness

    async def register(self, key_text: str, voucher_code: str) -> Registered:
        """A new member by a voucher.

        Raises MalformedKey, UnusableKey, MalformedVoucherCode, RegistrationRefused in its three kinds, KeyTaken, and
        RegistrationFailed, after each of which the voucher is as it was.
        """
        return await self._register(key_text, checked_code(voucher_code), ALL_SCOPES)

    async def genesis(self, key_text: str, scopes: frozenset[Scope] = ALL_SCOPES) -> Registered:
        """A member nobody vouches for but the operator; raises as `register`."""
        return await self._register(key_text, None, scopes)

    async def _register(self, key_text: str, voucher_code: str | None, scopes: frozenset[Scope]) -> Registered:
        key = PublicKey.parse(key_text)
        if not self.signatures.is_usable(key):
            raise UnusableKey
        plan = _Plan(
            registration=f"registration-{self.randomness.nonce()}",
            key=key,
            voucher_code=voucher_code,
            client_id=ClientId(self.randomness.nonce()),
            diary_id=DiaryId(self.randomness.row_id(self.clock.now())),
            scopes=scopes,
        )
        await self.workflows.start(REGISTER_AGENT, plan.registration, plan.argument())
        answer = await self.workflows.result(plan.registration)
        agent_id = AgentId(UUID(str(answer["agent_id"] if isinstance(answer, dict) else answer)))
        return Registered(agent_id=agent_id, public_key=key, credentials=await self.clients.rotate(agent_id))
