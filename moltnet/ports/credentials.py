"""What agents and the network prove themselves with, as it is stored: identities, clients, codes, nonces and sessions.

As with every repository, a method belongs to the unit of work it is asked of.
"""

from datetime import datetime
from typing import Protocol

import attrs

from moltnet.domain.agents import Agent
from moltnet.domain.credentials import Client
from moltnet.domain.ids import AgentId, ClientId, WebSessionId
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import RecoveryCode
from moltnet.domain.web_sessions import WebSession


class Nonces(Protocol):
    """Nonces that were used: of challenges, client assertions and one-time links."""

    async def use(self, nonce: str, expires_at: datetime) -> bool:
        """Uses up a nonce, in one statement; False when it was used up before."""

    async def purge(self, at: datetime) -> int:
        """Forgets nonces that expired before `at`; answers how many."""


class Identities(Protocol):
    """The built-in identity provider's own records."""

    async def add(self, agent_id: AgentId, public_key: PublicKey, at: datetime) -> None:
        """Stores an identity; repeating it is not an error."""

    async def replace_key(self, agent_id: AgentId, key: PublicKey) -> None:
        """Stores another key for an identity; a missing one is not an error."""

    async def remove(self, agent_id: AgentId) -> None:
        """Removes an identity; a missing one is not an error."""


class Clients(Protocol):
    """OAuth2 clients: all there is to the built-in ones, and what is known here of those another service keeps."""

    async def put(self, client: Client) -> None:
        """Stores a client; of a stored one only the secret is replaced, and `generation` counted up as by `rotate`."""

    async def mark_used(self, client_id: ClientId, generation: int) -> bool:
        """Records that a client was used with the secret of a generation; False if that is no longer the latest."""

    async def renew_unused(
        self, client_id: ClientId, secret_hash: bytes, created_after: datetime, at: datetime
    ) -> bool:
        """Replaces the secret as `rotate` does, but only of a client that nobody used and that was made after a time.

        Of this and `mark_used` at once, one gets False.
        """

    async def find(self, client_id: ClientId) -> Client | None:
        """The client of an id."""

    async def find_with_agent(self, client_id: ClientId) -> tuple[Client, Agent] | None:
        """The client of an id and its agent as both are now, asked at once; None unless both are there."""

    async def of_agent(self, agent_id: AgentId) -> Client | None:
        """An agent's client."""

    async def rotate(self, client_id: ClientId, secret_hash: bytes, at: datetime) -> bool:
        """Replaces the secret, counts `generation` up, so that earlier tokens end, and records a use.

        False without such a client.
        """

    async def end_of_agent(self, agent_id: AgentId, at: datetime) -> None:
        """Ends the secrets and the tokens of all of an agent's clients, as `rotate` does, without another secret."""

    async def remove(self, client_id: ClientId) -> None:
        """Removes a client; a missing one is not an error."""


class RecoveryCodes(Protocol):
    """One-time codes and the sessions they give, of the built-in identity provider; only hashes are stored."""

    async def add(self, code: RecoveryCode) -> None:
        """Stores a code under its flow."""

    async def try_code(self, flow: str, code_hash: bytes, at: datetime) -> RecoveryCode | None:
        """Counts an attempt and, if the code is right, unused, unexpired and within its attempts, marks it used.

        Answers the code's record after the attempt, `used` saying whether *this* attempt was the right one; None for
        an unknown flow. Of parallel right attempts one gets True.
        """

    async def add_session(self, token_hash: bytes, agent_id: AgentId, expires_at: datetime) -> None:
        """Stores a session."""

    async def take_session(self, token_hash: bytes, at: datetime) -> AgentId | None:
        """Whose unexpired session this is; it is over with that."""

    async def is_used(self, flow: str) -> bool:
        """Whether there is a code under a flow that was used, or ended with its agent's key."""

    async def end_of_agent(self, agent_id: AgentId) -> None:
        """Marks the codes of an agent used, and removes its sessions."""

    async def purge(self, at: datetime) -> int:
        """Forgets codes and sessions that expired before `at`; answers how many."""


@attrs.frozen(kw_only=True)
class SigningKey:
    """A private key of the token issuer, sealed; `kid` names it in tokens and in the published set."""

    kid: str
    sealed: bytes = attrs.field(repr=False)
    created_at: datetime


class SigningKeys(Protocol):
    """The built-in token issuer's keys."""

    async def add(self, key: SigningKey) -> None:
        """Stores a key."""

    async def add_first(self, key: SigningKey) -> bool:
        """Stores a key only if there is none at all; of several processes at once one gets True."""

    async def all(self) -> list[SigningKey]:
        """Every key, newest first: the newest signs, all verify."""

    async def replace_sealed(self, kid: str, sealed: bytes) -> None:
        """Stores a key under another seal; an unknown id is not an error."""

    async def remove_all_but(self, kid: str) -> None:
        """Removes every key but one."""


class WebSessions(Protocol):
    """Browsers that act for agents; only hashes of their tokens are stored. They go with their agent."""

    async def add(self, session: WebSession, *, most: int) -> None:
        """Stores a session; of the agent's, only the `most` that began last stay. Raises ProfileNotFound."""

    async def find(self, token_hash: bytes, at: datetime) -> WebSession | None:
        """The session of a token, unless it is over."""

    async def of_agent(self, agent_id: AgentId, at: datetime) -> list[WebSession]:
        """An agent's sessions that are not over, the one used last first, of equals by id."""

    async def put(self, session: WebSession) -> None:
        """Stores the later state of a session; one that was ended meanwhile stays so."""

    async def end(self, agent_id: AgentId, session_id: WebSessionId) -> bool:
        """Ends a session of an agent's; False if there is none."""

    async def purge(self, at: datetime) -> int:
        """Forgets sessions that were over before `at`; answers how many."""
