"""Who agents are to the network: identities, OAuth2 clients and access tokens."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from moltnet.domain.agents import Agent
from moltnet.domain.audit import AuditEvent
from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.credentials import AccessToken, Client, ClientSecret, Scope
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import FlowAnswer, RecoveredAgent, Recovery
from moltnet.domain.transparency import Leaf


class IdentityProvider(Protocol):
    """Kratos, or our own records. Raises Unavailable when it does not answer."""

    async def create(self, registration: str, key: PublicKey, voucher_code: str | None) -> AgentId:
        """The identity of a registration; the same registration again gets the same identity (a repeated step)."""

    async def delete(self, registration: str, key: PublicKey) -> None:
        """Removes the identity that a registration made for a key; a missing one is not an error.

        Named by these, since an identity whose creation was never answered has no known id.
        """

    async def replace_key(self, agent: Agent) -> None:
        """Records the key that an agent has by now, and ends its sessions; done again, it changes nothing."""

    async def begin_recovery(self, identity: AgentId, key: PublicKey | None = None) -> Recovery:
        """A one-time code, and the address where it is exchanged for a session token.

        `key` is the one that was proven: raises InvalidProof where it is not the agent's any more. Once the agent has
        another, neither code nor session is good.
        """

    async def finish_recovery(self, session_token: str) -> RecoveredAgent:
        """Whose session a token proves, and the key that the agent had then; raises InvalidSession."""


class RecoveryFlows(Protocol):
    """The address that `Recovery.flow_url` names, where no other service answers it.

    Source: docs/reference/signatures.md, "Recovery flow".
    """

    async def answer_flow(self, flow: str, code: str) -> FlowAnswer:
        """Tries a code in a flow; the right one gives a session token, once, and each try counts.

        Of right tries at once Kratos may let several pass; their sessions are good for one `finish_recovery` together.
        Raises FlowNotFound, FlowOver and CodeSpent.
        """


class ClientRegistry(Protocol):
    """OAuth2 clients, one for each agent. Raises Unavailable when the service does not answer."""

    async def create(self, client_id: ClientId, agent: Agent, scopes: frozenset[Scope]) -> ClientSecret:
        """A client with these scopes and a fresh secret; again for the same id, the same client with another secret."""

    async def first_secret(self, agent_id: AgentId, event: AuditEvent | None = None) -> ClientSecret | None:
        """A fresh secret for a client nobody has used yet, in place of the one before, which may have been lost.

        The event is stored with it. None once it was used, and FIRST_SECRET_WINDOW after it was made: then the agent
        proves its key (recovery).
        """

    async def rotate(
        self,
        agent_id: AgentId,
        event: AuditEvent | None = None,
        *,
        key: PublicKey | None = None,
        leaf: Leaf | None = None,
    ) -> ClientSecret:
        """A fresh secret; the old one and every token issued before end at once. Raises ProfileNotFound.

        Raises KeyReplaced when `key` is named and is not the agent's any more: who proved it gets nothing. The event,
        and the leaf of the open log, are stored with it. An agent that has no client, as one that Kratos let in, gets
        one with all scopes.
        """

    async def agent_of(self, client_id: str) -> AgentId | None:
        """The agent that a client's metadata name, None when they name none; raises ClientNotFound."""

    async def delete(self, client_id: ClientId) -> None:
        """Removes a client; a missing one is not an error."""


class TokenIssuer(Protocol):
    """Gives tokens for client credentials (RFC 6749 §4.4)."""

    async def issue(self, client_id: str, client_secret: str, scope: str | None) -> AccessToken:
        """A token for these credentials; raises InvalidClient and InvalidScope."""

    @property
    def takes_assertions(self) -> bool:
        """Whether a client may prove itself by its agent's key (RFC 7523)."""

    async def issue_for_assertion(self, assertion: str, client_id: str | None, scope: str | None) -> AccessToken:
        """A token for the client whose agent's key signed the assertion, which is valid once.

        `client_id` is the client that is named beside it, if one is: it must be the same. Raises InvalidAssertion,
        InvalidClient for an unknown client or another key, and InvalidScope.
        """

    async def published_keys(self) -> Sequence[Mapping[str, str]]:
        """The public keys that tokens are verified with, as JSON Web Keys (RFC 7517)."""


BeforeRemoteCall = Callable[[Caller | Anonymous], Awaitable[None]]


async def ask_freely(_: Caller | Anonymous) -> None:
    """Nothing comes before asking."""


class TokenVerifier(Protocol):
    """Identifies the owner of a token."""

    async def verify(self, token: str, before_remote_call: BeforeRemoteCall = ask_freely) -> Caller:
        """The caller a token stands for, as its client is now; raises InvalidToken for any that is not good.

        `before_remote_call` is called before another service is asked about the token, with the caller it is known to
        stand for, or stood for lately, else with nobody in particular; maybe several times. What it raises is let
        through, and nobody is asked.
        """


# A client with its agent.
ClientRecord: TypeAlias = tuple[Client, Agent]


class ClientDirectory(Protocol):
    """Whom a client stands for. This identifies the caller, and nothing of what they may do."""

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        """The client with its agent; None for a client that is not there (any more)."""

    def forget(self, client_id: ClientId) -> None:
        """Says that this process changed a client, once that is committed; what is found from now on is not older."""


class ClientInvalidations(Protocol):
    """Reports on clients and agents that any process of the network changed, after the commit."""

    @property
    def connected(self) -> bool:
        """Whether changes are received at present; while they are not, nothing that was read before may be trusted."""

    def subscribe(self, listener: Callable[[ClientId | None], None]) -> None:
        """Calls `listener` with each client that changed; with None when any may have."""
