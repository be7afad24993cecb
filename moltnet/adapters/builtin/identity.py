"""Identities and recovery, stored in the network's own database; no identity service is asked."""

import hashlib
import hmac
from uuid import UUID, uuid5

import attrs

from moltnet.domain.credentials import SECRET_BYTES, hash_secret, secret_text
from moltnet.domain.ids import AgentId, parse_uuid
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import (
    CODE_DIGITS,
    CODE_LIFETIME,
    SESSION_LIFETIME,
    FlowAnswer,
    FlowNotFound,
    InvalidSession,
    Recovery,
    RecoveryCode,
    flow_address,
)
from moltnet.ports.clock import Clock
from moltnet.ports.randomness import Randomness
from moltnet.ports.storage import Storage

SESSION_PREFIX = "ms_st_"
# Never changes: a repeated registration must come to the same identity, whichever release repeats it.
_IDENTITIES = UUID("5b0ad1f6-6b5e-4c0e-9d0c-2f1c6d6f7a51")


@attrs.frozen
class BuiltinIdentityProvider:
    """The ports `IdentityProvider` and `RecoveryFlows`.

    Attributes:
        base_url: where this network's REST interface is reached from outside.
        secret: hides the codes that are stored: eight digits alone are guessed back from any plain hash. The same in
            every process, and not in the database.
    """

    storage: Storage
    clock: Clock
    randomness: Randomness
    base_url: str
    secret: bytes = attrs.field(repr=False)

    async def create(self, registration: str, key: PublicKey, voucher_code: str | None) -> AgentId:  # noqa: ARG002 the voucher is kept with the vouchers
        """The identity of a registration: derived from its id, so that a repeated step gets the same one."""
        identity = _identity_of(registration)
        async with self.storage.transaction() as work:
            await work.identities.add(identity, key, self.clock.now())
        return identity

    async def delete(self, registration: str, key: PublicKey) -> None:  # noqa: ARG002 the registration says it all
        """Removes the identity of a registration."""
        async with self.storage.transaction() as work:
            await work.identities.remove(_identity_of(registration))

    async def begin_recovery(self, identity: AgentId) -> Recovery:
        """A code of eight digits, good for 15 minutes, once, and for five tries, and the flow it belongs to."""
        flow, code = str(self.randomness.nonce()), self.randomness.digits(CODE_DIGITS)
        code_record = RecoveryCode(
            flow=flow,
            code_hash=self._code_hash(flow, code),
            agent_id=identity,
            expires_at=self.clock.now() + CODE_LIFETIME,
        )
        async with self.storage.transaction() as work:
            await work.recovery_codes.add(code_record)
        return Recovery(code=code, flow_url=flow_address(self.base_url, flow))

    async def answer_flow(self, flow: str, code: str) -> FlowAnswer:
        """Tries a code; the right one gives a session token, in the same transaction that uses the code up."""
        parsed = parse_uuid(flow)
        if parsed is None:
            raise FlowNotFound
        flow, now = str(parsed), self.clock.now()
        submitted_hash = self._code_hash(flow, code)
        token = SESSION_PREFIX + secret_text(self.randomness.secret(SECRET_BYTES))
        async with self.storage.transaction() as work:
            tried = await work.recovery_codes.try_code(flow, submitted_hash, now)
            if tried is not None and tried.used:
                await work.recovery_codes.add_session(hash_secret(token), tried.agent_id, now + SESSION_LIFETIME)
        # Refused outside of the transaction: a try that fails must count.
        if tried is None:
            raise FlowNotFound
        passed = tried.passed(submitted_hash, now)
        return FlowAnswer(
            flow=flow,
            url=flow_address(self.base_url, flow),
            issued_at=tried.issued_at,
            expires_at=tried.flow_expires_at,
            session_token=token if passed else None,
        )

    async def finish_recovery(self, session_token: str) -> AgentId:
        """Whose session a token proves; the session is over with that."""
        async with self.storage.transaction() as work:
            identity = await work.recovery_codes.take_session(hash_secret(session_token), self.clock.now())
        if identity is None:
            raise InvalidSession
        return identity

    def _code_hash(self, flow: str, code: str) -> bytes:
        text = f"{flow}:{code}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.secret, text, hashlib.sha256)


def _identity_of(registration: str) -> AgentId:
    return AgentId(uuid5(_IDENTITIES, registration))
