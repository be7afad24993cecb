"""OAuth2 clients in Hydra, and what is known of them here.

Source: docs/reference/ory.md, "Hydra calls" and "Repeating calls".
"""

import re
from typing import Any

import attrs
from ory_client import JsonPatch, OAuth2Api, OAuth2Client

from moltnet.adapters.ory.service import OryMisconfigured, OryService, malformed
from moltnet.domain.agents import Agent, KeyReplaced, ProfileNotFound
from moltnet.domain.audit import AuditEvent
from moltnet.domain.credentials import (
    ALL_SCOPES,
    FIRST_SECRET_WINDOW,
    SECRET_BYTES,
    Client,
    ClientNotFound,
    ClientSecret,
    Scope,
    hash_secret,
    secret_text,
)
from moltnet.domain.ids import AgentId, ClientId, parse_uuid
from moltnet.domain.keys import PublicKey
from moltnet.domain.transparency import Leaf
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness

GRANT_TYPE = "client_credentials"
# What stays one segment of a path, whatever joins it: neither empty nor made of dots alone.
_CLIENT_ID = re.compile(r"(?=[^.])[A-Za-z0-9._~-]{1,255}")


def is_client_id(text: str) -> bool:
    """Whether a text can be the id of a client."""
    return _CLIENT_ID.fullmatch(text) is not None


async def a_client(admin: OryService, client_id: str) -> dict[str, Any] | None:
    """A client as Hydra has it, never its secret; None when there is none."""
    call = "look up a client"
    reply = await admin.call(
        call,
        lambda client, timeout: OAuth2Api(client).get_o_auth2_client_without_preload_content(
            client_id, _request_timeout=timeout
        ),
        {200, 404},
    )
    if reply.status == 404:  # noqa: PLR2004  # HTTP's own number
        return None
    found = reply.json()
    if not isinstance(found, dict):
        raise malformed(admin, call)
    return found


_OK, _CREATED, _DONE, _BAD_REQUEST, _NOT_FOUND, _CONFLICT = 200, 201, 204, 400, 404, 409
_FOREIGN = "Hydra has a client {} that is not this agent's: two networks must not share its clients"


@attrs.frozen
class OryClients:
    """The port `ClientRegistry`.

    Ids and secrets are chosen here, so that a call can be sent again. Which client is whose is recorded in the
    network's own storage too, since Hydra cannot be asked; and since when a secret is good, since its tokens do not
    say.
    """

    admin: OryService
    storage: Storage
    clock: Clock
    randomness: Randomness

    async def create(self, client_id: ClientId, agent: Agent, scopes: frozenset[Scope]) -> ClientSecret:
        """A client with a fresh secret; for an id that has one, the same client with another secret."""
        secret = self._secret()
        if not await self._create(client_id, agent, scopes, secret):
            await self._check_owner(client_id, agent.id)
            await self._replace_secret(client_id, agent, secret)
            await self._end_tokens(client_id)
        await self._store(client_id, agent.id, scopes, secret)
        return ClientSecret(client_id=client_id, secret=secret)

    async def first_secret(self, agent_id: AgentId, event: AuditEvent | None = None) -> ClientSecret | None:
        """A fresh secret for a client nobody has used yet; one that Hydra has lost is made again.

        Decided here, before Hydra is told: of this and a use at once, one gets False.
        """
        secret, now = self._secret(), self.clock.now()
        async with self.storage.transaction() as work:
            client, agent = await work.clients.of_agent(agent_id), await work.agents.find(agent_id)
            if client is None or agent is None:
                return None
            if not await work.clients.renew_unused(client.id, hash_secret(secret), now - FIRST_SECRET_WINDOW, now):
                return None
            if event is not None:
                await work.audit.add(event)
        await self._put_in_force(client, agent, secret)
        return ClientSecret(client_id=client.id, secret=secret)

    async def rotate(
        self,
        agent_id: AgentId,
        event: AuditEvent | None = None,
        *,
        key: PublicKey | None = None,
        leaf: Leaf | None = None,
    ) -> ClientSecret:
        """A fresh secret for the agent's client; the old one and every token issued before end with it.

        A client that Hydra has lost is made again.
        """
        async with self.storage.snapshot() as work:
            client, agent = await work.clients.of_agent(agent_id), await work.agents.find(agent_id)
        if agent is None:
            raise ProfileNotFound
        if key not in {None, agent.public_key}:
            raise KeyReplaced
        if client is None:
            client = await self._adopted(agent) or self._client(ClientId(self.randomness.nonce()), agent, ALL_SCOPES)
        secret = self._secret()
        await self._put_in_force(client, agent, secret)
        # Recorded last: what was issued before this moment is no longer active.
        await self._store_rotated(client, secret, event, leaf)
        return ClientSecret(client_id=client.id, secret=secret)

    async def agent_of(self, client_id: str) -> AgentId | None:
        """The agent that a client's metadata name."""
        found = await a_client(self.admin, client_id) if is_client_id(client_id) else None
        if found is None:
            raise ClientNotFound
        return _owner(found)

    async def delete(self, client_id: ClientId) -> None:
        """Removes a client; its tokens end with it."""
        await self.admin.call(
            "delete a client",
            lambda client, timeout: OAuth2Api(client).delete_o_auth2_client_without_preload_content(
                str(client_id), _request_timeout=timeout
            ),
            {_DONE, _NOT_FOUND},
        )
        async with self.storage.transaction() as work:
            await work.clients.remove(client_id)

    def _secret(self) -> str:
        return secret_text(self.randomness.secret(SECRET_BYTES))

    async def _create(self, client_id: ClientId, agent: Agent, scopes: frozenset[Scope], secret: str) -> bool:
        new = _new_client(client_id, agent, scopes, secret)
        reply = await self.admin.call(
            "create a client",
            lambda client, timeout: OAuth2Api(client).create_o_auth2_client_without_preload_content(
                new, _request_timeout=timeout
            ),
            {_CREATED, _CONFLICT},
        )
        return reply.status == _CREATED

    async def _check_owner(self, client_id: ClientId, agent_id: AgentId) -> None:
        found = await a_client(self.admin, str(client_id))
        if found is None or _owner(found) != agent_id:
            raise OryMisconfigured(_FOREIGN.format(client_id))

    async def _replace_secret(self, client_id: ClientId, agent: Agent, secret: str) -> bool:
        """Gives a client another secret, and the key that its agent has now; False without such a client."""
        steps = [
            JsonPatch(op="replace", path="/client_secret", value=secret),
            JsonPatch(op="replace", path="/client_name", value=_name(agent)),
            JsonPatch(op="replace", path="/metadata", value=_metadata(agent)),
        ]
        reply = await self.admin.call(
            "replace a client's secret",
            lambda client, timeout: OAuth2Api(client).patch_o_auth2_client_without_preload_content(
                str(client_id), steps, _request_timeout=timeout
            ),
            {_OK, _NOT_FOUND},
        )
        return reply.status == _OK

    async def _put_in_force(self, client: Client, agent: Agent, secret: str) -> None:
        if not await self._replace_secret(client.id, agent, secret):
            await self._create(client.id, agent, client.scopes, secret)
            await self._replace_secret(client.id, agent, secret)
        await self._end_tokens(client.id)

    async def _end_tokens(self, client_id: ClientId) -> None:
        await self.admin.call(
            "end a client's tokens",
            lambda client, timeout: OAuth2Api(client).delete_o_auth2_token_without_preload_content(
                str(client_id), _request_timeout=timeout
            ),
            {_DONE},
        )

    async def _store(self, client_id: ClientId, agent_id: AgentId, scopes: frozenset[Scope], secret: str) -> None:
        now = self.clock.now()
        client = Client(id=client_id, agent_id=agent_id, secret_hash=hash_secret(secret), scopes=scopes, created_at=now)
        async with self.storage.transaction() as work:
            await work.clients.put(client)

    async def _store_rotated(self, client: Client, secret: str, event: AuditEvent | None, leaf: Leaf | None) -> None:
        hashed, now = hash_secret(secret), self.clock.now()
        async with self.storage.transaction() as work:
            if not await work.clients.rotate(client.id, hashed, now):
                await work.clients.put(attrs.evolve(client, secret_hash=hashed, secret_since=now, used=True))
            if event is not None:
                await work.audit.add(event)
            if leaf is not None:
                await work.transparency.add(leaf)

    def _client(self, client_id: ClientId, agent: Agent, scopes: frozenset[Scope]) -> Client:
        now = self.clock.now()
        return Client(id=client_id, agent_id=agent.id, secret_hash=b"", scopes=scopes, created_at=now)

    async def _adopted(self, agent: Agent) -> Client | None:
        """The agent's client in Hydra, made before this network recorded clients, or by a call that broke off."""
        call, name = "find an agent's client", _name(agent)
        reply = await self.admin.call(
            call,
            lambda client, timeout: OAuth2Api(client).list_o_auth2_clients_without_preload_content(
                client_name=name, page_size=500, _request_timeout=timeout
            ),
            {_OK},
        )
        elements = reply.json()
        if not isinstance(elements, list):
            raise malformed(self.admin, call)
        for found in elements:
            client_id = parse_uuid(str(found.get("client_id"))) if isinstance(found, dict) else None
            if client_id is not None and _owner(found) == agent.id:
                return self._client(ClientId(client_id), agent, scopes_in(found.get("scope")))
        return None


def scopes_in(text: Any) -> frozenset[Scope]:
    """The network's scopes among those of a text, space-separated."""
    names = set(text.split()) if isinstance(text, str) else set()
    return frozenset(scope for scope in Scope if scope.value in names)


def _new_client(client_id: ClientId, agent: Agent, scopes: frozenset[Scope], secret: str) -> OAuth2Client:
    return OAuth2Client(
        client_id=str(client_id),
        client_name=_name(agent),
        client_secret=secret,
        grant_types=[GRANT_TYPE],
        response_types=[],
        token_endpoint_auth_method="client_secret_post",  # noqa: S106  # the name of a method
        scope=" ".join(sorted(scopes)),
        access_token_strategy="jwt",  # noqa: S106  # the name of a strategy
        metadata=_metadata(agent),
    )


def _metadata(agent: Agent) -> dict[str, str]:
    return {
        "type": "moltnet_agent",
        "identity_id": str(agent.id),
        "public_key": agent.public_key.text,
        "fingerprint": agent.fingerprint.text,
    }


def _name(agent: Agent) -> str:
    return f"Agent: {agent.fingerprint.text}"


def _owner(client: dict[str, Any]) -> AgentId | None:
    metadata = client.get("metadata")
    text = metadata.get("identity_id") if isinstance(metadata, dict) else None
    found = parse_uuid(text) if isinstance(text, str) else None
    return AgentId(found) if found is not None else None
