"""Identities and recovery by Kratos (docs/reference/ory.md, "Kratos calls")."""

import base64
from hashlib import pbkdf2_hmac
from typing import Any

import attrs
from ory_client import (
    CreateIdentityBody,
    CreateRecoveryCodeForIdentityBody,
    FrontendApi,
    IdentityApi,
    IdentityWithCredentials,
    IdentityWithCredentialsPassword,
    IdentityWithCredentialsPasswordConfig,
    JsonPatch,
    UpdateRecoveryFlowBody,
    UpdateRecoveryFlowWithCodeMethod,
)

from moltnet.adapters.ory.answers import flow_in, identity_id, session_in, time_of
from moltnet.adapters.ory.schemas import AgentSchema
from moltnet.adapters.ory.service import OryMisconfigured, OryService, Reply, malformed
from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.credentials import SECRET_BYTES, hash_secret
from moltnet.domain.ids import AgentId, parse_uuid
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import (
    FLOW_LIFETIME,
    CodeSpent,
    FlowAnswer,
    FlowNotFound,
    FlowOver,
    FlowState,
    InvalidProof,
    InvalidSession,
    RecoveredAgent,
    Recovery,
    RecoveryCode,
    flow_address,
)
from moltnet.domain.registration import import_of, imported_by
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness

# The trait is required, and an agent nobody vouched for has none.
NO_VOUCHER = "genesis"
REGISTRATION = "moltnet_registration"
_GIVE_CODE = "give a recovery code"
SESSION_TOKEN_MAX = 512
CODE_MAX = 64
# A code that none can be, sent in place of what would not arrive as it is: the try counts all the same.
_WRONG_CODE = "000000-wrong"
_OK, _CREATED, _GONE, _NOT_FOUND, _CONFLICT = 200, 201, 204, 404, 409
_SEE_OTHER, _BAD_REQUEST, _UNAUTHORIZED, _OVER, _REDIRECTED = 303, 400, 401, 410, 422
_SALT = b"of nobody's use."
_NO_CODES = "Kratos gives no recovery codes: set selfservice.methods.code.enabled and selfservice.flows.recovery"
_SESSION_WITHHELD = (
    "Kratos kept the session of a recovery back: set feature_flags.use_continue_with_transitions to true"
)


@attrs.frozen
class OryIdentityProvider:
    """The ports `IdentityProvider` and `RecoveryFlows`.

    An identity is found again by its key and by the registration in its admin metadata: unlike an external id, every
    release of Kratos keeps that. Kratos chooses ids, so an agent that was registered before has another id there, and
    the registration that took it in tells whose identity it is. `base_url` is where this network's REST interface is
    reached from outside: codes are passed on from there, so that agents need no way to Kratos itself.
    """

    public: OryService
    admin: OryService
    schema: AgentSchema
    storage: Storage
    clock: Clock
    randomness: Randomness
    base_url: str

    async def create(self, registration: str, key: PublicKey, voucher_code: str | None) -> AgentId:
        """The identity of a registration, also when an earlier attempt made it and its answer was lost.

        Raises KeyTaken when another registration's identity has the key.
        """
        call, body = "create an identity", await self._new_identity(registration, key, voucher_code)
        reply = await self.admin.call(
            call,
            lambda client, timeout: IdentityApi(client).create_identity_without_preload_content(
                create_identity_body=body, _request_timeout=timeout
            ),
            {_CREATED, _BAD_REQUEST, _CONFLICT},
        )
        if reply.status == _BAD_REQUEST:
            self.schema.forget()
            raise OryMisconfigured("Kratos does not take an agent's traits: see that its schema is the network's own")
        found = identity_id(reply.json()) if reply.status == _CREATED else await self._find(registration, key)
        if found is None:
            raise malformed(self.admin, call) if reply.status == _CREATED else KeyTaken()
        return found

    async def delete(self, registration: str, key: PublicKey) -> None:
        """Removes the identity of a registration, and no other that has its key."""
        found = await self._find(registration, key)
        if found is None:
            return
        await self.admin.call(
            "delete an identity",
            lambda client, timeout: IdentityApi(client).delete_identity_without_preload_content(
                str(found), _request_timeout=timeout
            ),
            {_GONE, _NOT_FOUND},
        )

    async def replace_key(self, agent: Agent) -> None:
        """Gives the agent's identity its key as trait, and ends the identity's sessions.

        Raises OryMisconfigured where another identity has the key; keys are told apart in lower case there.
        """
        identity = await self._identity_of(agent.id)
        steps = [JsonPatch(op="replace", path="/traits/public_key", value=agent.public_key.text)]
        reply = await self.admin.call(
            "replace an identity's key",
            lambda client, timeout: IdentityApi(client).patch_identity_without_preload_content(
                str(identity), steps, _request_timeout=timeout
            ),
            {_OK, _NOT_FOUND, _CONFLICT},
        )
        if reply.status == _CONFLICT:
            raise OryMisconfigured(f"Kratos has another identity with the new key of the agent {agent.id}")
        if reply.status == _OK:
            await self._delete_sessions(identity)

    async def begin_recovery(self, identity: AgentId, key: PublicKey | None = None) -> Recovery:
        """A code of Kratos' own, and where this network takes it."""
        reply = await self._code_for(identity)
        if reply.status == _NOT_FOUND:
            if str(reply.member("error", "reason")).startswith("This endpoint was disabled"):
                raise OryMisconfigured(_NO_CODES)
            signed_in_identity = await self._imported_identity(identity)
            reply = await self._code_for(signed_in_identity) if signed_in_identity else reply
        if reply.status == _NOT_FOUND:
            raise OryMisconfigured(f"Kratos has no identity of the agent {identity}; moltnet ory import makes it one")
        code, flow = reply.member("recovery_code"), flow_in(reply.member("recovery_link"))
        if not isinstance(code, str) or flow is None:
            raise malformed(self.admin, _GIVE_CODE)
        if key is not None:
            await self._record_flow(flow, identity, key)
        return Recovery(code=code, flow_url=flow_address(self.base_url, flow))

    async def answer_flow(self, flow: str, code: str) -> FlowAnswer:
        """Passes a code on; never twice, since the right one counts once."""
        parsed = parse_uuid(flow)
        if parsed is None:
            raise FlowNotFound
        async with self.storage.autocommit() as work:
            if await work.recovery_codes.is_used(str(parsed)):
                raise CodeSpent
        method = UpdateRecoveryFlowWithCodeMethod(method="code", code=_sendable(code))
        reply = await self.public.call(
            "take a recovery code",
            lambda client, timeout: FrontendApi(client).update_recovery_flow_without_preload_content(
                flow=str(parsed), update_recovery_flow_body=UpdateRecoveryFlowBody(method), _request_timeout=timeout
            ),
            {_OK, _SEE_OTHER, _BAD_REQUEST, _NOT_FOUND, _OVER, _REDIRECTED},
            repeatable=False,
        )
        return self._flow_answer(str(parsed), reply)

    async def finish_recovery(self, session_token: str) -> RecoveredAgent:
        """Whose session a token proves; all sessions of the identity end with it, and of parallel calls one wins."""
        if not (session_token.isascii() and session_token.isprintable() and session_token.strip() == session_token):
            raise InvalidSession
        if not 0 < len(session_token) <= SESSION_TOKEN_MAX:
            raise InvalidSession
        reply = await self.public.call(
            "tell a session",
            lambda client, timeout: FrontendApi(client).to_session_without_preload_content(
                x_session_token=session_token, _request_timeout=timeout
            ),
            {_OK, _UNAUTHORIZED},
        )
        identity = identity_id(reply.member("identity"))
        if reply.status == _UNAUTHORIZED or identity is None or reply.member("active") is not True:
            raise InvalidSession
        await self._end_sessions(identity)
        agent_id = await self._agent_of(identity)
        async with self.storage.autocommit() as work:
            agent = await work.agents.find(agent_id)
        return RecoveredAgent(id=agent_id, key=agent.public_key if agent else None)

    async def _code_for(self, identity: AgentId) -> Reply:
        body = CreateRecoveryCodeForIdentityBody(identity_id=identity, flow_type="api")
        return await self.admin.call(
            _GIVE_CODE,
            lambda client, timeout: IdentityApi(client).create_recovery_code_for_identity_without_preload_content(
                create_recovery_code_for_identity_body=body, _request_timeout=timeout
            ),
            {_CREATED, _NOT_FOUND},
        )

    async def _record_flow(self, flow: str, agent_id: AgentId, key: PublicKey) -> None:
        """Records whose flow it is: Kratos would take its code even after the key that was proven is replaced."""
        code = RecoveryCode(
            flow=flow,
            code_hash=hash_secret(flow),  # Kratos alone knows the code
            agent_id=agent_id,
            expires_at=self.clock.now() + FLOW_LIFETIME,
        )
        async with self.storage.transaction() as work:
            if not await work.keys.hold(agent_id, key):
                raise InvalidProof
            await work.recovery_codes.add(code)

    async def _identity_of(self, agent_id: AgentId) -> AgentId:
        """The identity of an agent, which has another id where the agent was a member before.

        It is found by its keys, of which it may have any: a step that is repeated was carried out, maybe.
        """
        async with self.storage.autocommit() as work:
            history = await work.keys.of_agent(agent_id)
        for known in reversed(history):
            found = await self._find(import_of(agent_id), known.public_key)
            if found is not None:
                return found
        return agent_id

    async def _imported_identity(self, agent_id: AgentId) -> AgentId | None:
        """The identity that was made for an agent who was a member before."""
        async with self.storage.autocommit() as work:
            agent = await work.agents.find(agent_id)
        return await self._find(import_of(agent_id), agent.public_key) if agent else None

    async def _agent_of(self, identity: AgentId) -> AgentId:
        """The agent whose identity it is. Admin metadata decide, which no agent can change."""
        async with self.storage.autocommit() as work:
            if await work.agents.find(identity):
                return identity
        reply = await self.admin.call(
            "look up an identity",
            lambda client, timeout: IdentityApi(client).get_identity_without_preload_content(
                str(identity), _request_timeout=timeout
            ),
            {_OK, _NOT_FOUND},
        )
        return imported_by(str(reply.member("metadata_admin", REGISTRATION))) or identity

    async def _new_identity(self, registration: str, key: PublicKey, voucher_code: str | None) -> CreateIdentityBody:
        # Nobody gets the password: the schema wants the key to be an identifier of one.
        password = IdentityWithCredentialsPasswordConfig(hashed_password=_hashed(self.randomness.secret(SECRET_BYTES)))
        return CreateIdentityBody(
            schema_id=await self.schema.id(),
            traits={"public_key": key.text, "voucher_code": voucher_code or NO_VOUCHER},
            credentials=IdentityWithCredentials(password=IdentityWithCredentialsPassword(config=password)),
            metadata_admin={REGISTRATION: registration},
        )

    async def _find(self, registration: str, key: PublicKey) -> AgentId | None:
        reply = await self.admin.call(
            "find an identity",
            lambda client, timeout: IdentityApi(client).list_identities_without_preload_content(
                credentials_identifier=key.text, consistency="strong", _request_timeout=timeout
            ),
            {_OK},
        )
        found = reply.json()
        if not isinstance(found, list):
            raise malformed(self.admin, "find an identity")
        return next((identity_id(each) for each in found if _is_of(each, registration, key)), None)

    def _flow_answer(self, flow: str, reply: Reply) -> FlowAnswer:
        if reply.status == _NOT_FOUND:
            raise FlowNotFound
        if reply.status == _REDIRECTED:
            raise OryMisconfigured(_SESSION_WITHHELD)
        if reply.status in {_OVER, _SEE_OTHER}:
            raise FlowOver
        if reply.status == _BAD_REQUEST:
            raise CodeSpent
        issued_at, expires_at = time_of(reply.member("issued_at")), time_of(reply.member("expires_at"))
        passed = reply.member("state") == FlowState.PASSED_CHALLENGE
        token = session_in(reply.member("continue_with")) if passed else None
        if issued_at is None or expires_at is None or (passed and token is None):
            raise malformed(self.public, "take a recovery code")
        url = flow_address(self.base_url, flow)
        return FlowAnswer(flow=flow, url=url, issued_at=issued_at, expires_at=expires_at, session_token=token)

    async def _end_sessions(self, identity: AgentId) -> None:
        if (await self._delete_sessions(identity)).status == _NOT_FOUND:
            raise InvalidSession  # another call was first, or an earlier attempt of this one: a new recovery decides

    async def _delete_sessions(self, identity: AgentId) -> Reply:
        return await self.admin.call(
            "end the sessions of an identity",
            lambda client, timeout: IdentityApi(client).delete_identity_sessions_without_preload_content(
                str(identity), _request_timeout=timeout
            ),
            {_GONE, _NOT_FOUND},
        )


def _hashed(secret: bytes) -> str:
    """A password's hash in the PHC format that Kratos imports.

    256 random bits need no slow hash (RFC 8018 §4.2); of a password that it was sent, Kratos would compute one.
    """
    salt, hashed = (
        base64.b64encode(each).rstrip(b"=").decode() for each in (_SALT, pbkdf2_hmac("sha256", secret, _SALT, 1))
    )
    return f"$pbkdf2-sha256$i=1,l=32${salt}${hashed}"


def _is_of(identity: Any, registration: str, key: PublicKey) -> bool:
    # Kratos compares identifiers in lower case; keys differ in upper case too.
    traits, metadata = identity.get("traits"), identity.get("metadata_admin")
    return (
        isinstance(traits, dict)
        and isinstance(metadata, dict)
        and traits.get("public_key") == key.text
        and metadata.get(REGISTRATION) == registration
    )


def _sendable(code: str) -> str:
    return code if 0 < len(code) <= CODE_MAX and code.isascii() and code.isprintable() else _WRONG_CODE
