"""Sessions of the console: how they begin, whom they stand for, and how they end."""

from contextlib import suppress

import attrs

from moltnet.domain.agents import Agent
from moltnet.domain.caller import Caller
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.credentials import Client, InvalidClient, Scope, hash_secret, secret_text
from moltnet.domain.ids import ClientId, WebSessionId, parse_uuid
from moltnet.domain.keys import MalformedKey, PublicKey, decode_signature
from moltnet.domain.web_sessions import (
    CHALLENGE_LIFETIME,
    LINK_LIFETIME,
    SESSIONS_MAX,
    TOKEN_BYTES,
    InvalidSignIn,
    LinkSpent,
    MalformedSignIn,
    SignInChallenge,
    SignInLink,
    SignInMethod,
    WebSession,
    WebSessionNotFound,
    check_form,
    device_of,
    form_token,
)
from moltnet.ports.identity import ClientDirectory, ClientRecord, TokenIssuer, TokenVerifier
from moltnet.ports.keys import Signatures
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness


@attrs.frozen
class SignedIn:
    """A session that has begun, and the token that its browser shows: the only time that it is told."""

    token: str = attrs.field(repr=False)
    session: WebSession


@attrs.frozen
class Browser:
    """Whom a browser acts for, and by which session."""

    session: WebSession
    caller: Caller


@attrs.frozen(kw_only=True)
class WebSessionService:
    """Begins sessions for whoever proves to be an agent, and resolves them, in every process of the network alike.

    `network` is the address that challenges are bound to; `secret` marks challenges, links and forms.
    """

    storage: Storage
    issuer: TokenIssuer
    tokens: TokenVerifier
    client_directory: ClientDirectory
    signatures: Signatures
    clock: Clock
    randomness: Randomness
    network: NetworkAddress
    secret: bytes = attrs.field(repr=False)

    def anonymous_token(self) -> str:
        """A token for a browser without a session: its forms are bound to it, and nothing is stored."""
        return secret_text(self.randomness.secret(TOKEN_BYTES))

    def form_token(self, token: str) -> str:
        """What the forms of the browser with this token carry."""
        return form_token(token, self.secret)

    def check_form(self, sent: str, token: str) -> None:
        """Raises ForeignForm unless the form was handed to the browser with this token."""
        check_form(sent, token, self.secret)

    async def by_secret(self, client_id: str, client_secret: str, device: str, *, read_only: bool) -> SignedIn:
        """A session for client credentials; raises MalformedSignIn and InvalidClient."""
        if not client_id or not client_secret:
            raise MalformedSignIn
        parsed = parse_uuid(client_id)
        # Read before the secret is checked: one that is replaced in between ends this session, too.
        record = await self.client_directory.find(ClientId(parsed)) if parsed else None
        caller = await self.tokens.verify((await self.issuer.issue(client_id, client_secret, None)).text)
        if record is None or record[0].agent_id != caller.agent_id:
            raise InvalidClient("The client was not made by this network; sign in with the agent's key")
        scopes = frozenset({Scope.DIARY_READ}) if read_only else caller.scopes
        return await self._begin(record[0], SignInMethod.SECRET, device, scopes & caller.scopes)

    def challenge(self) -> SignInChallenge:
        """A text to sign with an agent's key."""
        return SignInChallenge.issued(
            self.randomness.nonce(), network=self.network, secret=self.secret, at=self.clock.now()
        )

    async def by_key(self, challenge: SignInChallenge, signature: str, key_text: str, device: str) -> SignedIn:
        """A session for the signer of a challenge, which is used up by it; raises InvalidSignIn."""
        at = self.clock.now()
        nonce = challenge.nonce(network=self.network, secret=self.secret, at=at)
        raw, key = decode_signature(signature), None
        with suppress(MalformedKey):
            key = PublicKey.parse(key_text)
        if raw is None or key is None or not self.signatures.verify(key, challenge.text.encode(), raw):
            raise InvalidSignIn
        async with self.storage.autocommit() as work:
            if not await work.nonces.use(nonce, at + CHALLENGE_LIFETIME):
                raise InvalidSignIn
            agent = await work.agents.find_by_key(key)
            client = await work.clients.of_agent(agent.id) if agent else None
        if agent is None or client is None:
            raise InvalidSignIn
        return await self._begin(client, SignInMethod.KEY, device, client.scopes)

    async def link(self, caller: Caller) -> str:
        """The code of a one-time link for the caller; raises MissingScope for a token that was narrowed."""
        caller.require_all()
        record = await self._record(caller.client_id)
        if record is None:
            raise InvalidClient
        link = SignInLink(
            client_id=caller.client_id,
            generation=record[0].generation,
            nonce=self.randomness.nonce(),
            issued_at=self.clock.now(),
        )
        return link.text(self.secret)

    async def agent_of_link(self, code: str) -> Agent:
        """For whom a link would begin a session, which it does not yet; raises LinkSpent."""
        link = SignInLink.parse(code, secret=self.secret, at=self.clock.now())
        _, agent = await self._linked(link)
        return agent

    async def by_link(self, code: str, device: str) -> SignedIn:
        """A session for a link, which is used up by it; raises LinkSpent."""
        at = self.clock.now()
        link = SignInLink.parse(code, secret=self.secret, at=at)
        client, _ = await self._linked(link)
        async with self.storage.autocommit() as work:
            if not await work.nonces.use(link.used_up, at + LINK_LIFETIME):
                raise LinkSpent
        return await self._begin(client, SignInMethod.LINK, device, client.scopes)

    async def resolve(self, token: str) -> Browser | None:
        """Whom a token stands for, with the scopes and the key that it has now; None for one that is over."""
        at = self.clock.now()
        async with self.storage.autocommit() as work:
            session = await work.web_sessions.find(hash_secret(token), at)
        record = await self._record(session.client_id) if session else None
        if session is None or record is None or record[0].generation != session.generation:
            return None
        if later := session.used(at):
            async with self.storage.autocommit() as work:
                await work.web_sessions.put(later)
        client, agent = record
        caller = Caller(
            agent_id=agent.id,
            public_key=agent.public_key,
            client_id=client.id,
            scopes=session.scopes & client.scopes,
            client_scopes=client.scopes,
        )
        return Browser(session, caller)

    async def of(self, caller: Caller) -> list[WebSession]:
        """The caller's sessions, the one used last first."""
        async with self.storage.autocommit() as work:
            return await work.web_sessions.of_agent(caller.agent_id, self.clock.now())

    async def end(self, caller: Caller, session_id: WebSessionId) -> None:
        """Ends a session of the caller's; raises WebSessionNotFound."""
        async with self.storage.autocommit() as work:
            if not await work.web_sessions.end(caller.agent_id, session_id):
                raise WebSessionNotFound

    async def continue_after_rotation(self, session: WebSession) -> None:
        """Lets a session live on that replaced its client's secret; every other one has ended by that."""
        async with self.storage.transaction() as work:
            client = await work.clients.find(session.client_id)
            if client is not None:
                await work.web_sessions.put(attrs.evolve(session, generation=client.generation))

    async def _linked(self, link: SignInLink) -> ClientRecord:
        record = await self._record(link.client_id)
        if record is None or record[0].generation != link.generation:
            raise LinkSpent
        return record

    async def _record(self, client_id: ClientId) -> ClientRecord | None:
        return await self.client_directory.find(client_id)

    async def _begin(self, client: Client, method: SignInMethod, device: str, scopes: frozenset[Scope]) -> SignedIn:
        at, token = self.clock.now(), self.anonymous_token()
        session = WebSession(
            id=WebSessionId(self.randomness.row_id(at)),
            token_hash=hash_secret(token),
            agent_id=client.agent_id,
            client_id=client.id,
            generation=client.generation,
            scopes=scopes,
            method=method,
            device=device_of(device),
            created_at=at,
            used_at=at,
        )
        async with self.storage.transaction() as work:
            await work.web_sessions.add(session, most=SESSIONS_MAX)
        return SignedIn(token, session)
