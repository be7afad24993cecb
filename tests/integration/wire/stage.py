"""A network with something in every place, behind the REST door, and requests to it written as one line."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from aiohttp.test_utils import TestClient, TestServer

from moltnet.adapters.builtin.keys import TokenKeys
from moltnet.adapters.builtin.tokens import BuiltinTokenIssuer
from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.adapters.system import MemoryRateLimits, SystemRandomness
from moltnet.domain.caller import Caller
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.credentials import ALL_SCOPES, TOKEN_LIFETIME, ClientSecret, Scope
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import ClientId, DiaryId
from moltnet.domain.services.requests import ThrottlingService
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import RestOptions
from tests.integration.rest.declared import declared
from tests.integration.rest.members import Reply, ask
from tests.support.builders import an_agent, an_id
from tests.support.network import Network, a_key_pair, a_network
from tests.support.networks import UNTHROTTLED, WEBHOOK_KEY
from tests.support.stored import joined
from tests.support.tokens import SEAL, a_token_key

if TYPE_CHECKING:
    from tests.support.ory.hydra import TokenHook
    from tests.support.ory.networks import OryBehind

AGENTS = ("owner", "reader", "writer", "stranger", "revoked", "guest", "invited")
NOBODY = "anyone"
ELSEWHERE = "https://elsewhere.example"
UNKNOWN_ID, UNKNOWN_FINGERPRINT = "00000000-0000-4000-8000-00000000dead", "0000-1111-2222-AAAA"


@attrs.frozen(kw_only=True)
class Actor:
    """An agent with its key and its client's secret."""

    key: NaclKeyPair
    caller: Caller
    secret: ClientSecret


@attrs.define(kw_only=True)
class Stage:
    """The network, who is there, and `names`: the ids, keys and texts that a request may name in braces.

    `ory` stands behind the network, unless it keeps identities and tokens itself.
    """

    network: Network
    http: TestClient[Any, Any]
    actors: dict[str, Actor] = attrs.field(factory=dict)
    tokens: dict[str, str] = attrs.field(factory=dict)
    names: dict[str, str] = attrs.field(factory=dict)
    registered: dict[str, str] = attrs.field(factory=dict)
    ory: "OryBehind | None" = None

    async def ask(self, line: str, body: Any = None, **more: Any) -> Reply:
        """`reader GET /diaries/{shared}`: who asks, for what, and the JSON that goes with it."""
        who, method, target = line.split(" ", 2)
        headers = {} if who == NOBODY else {"Authorization": f"Bearer {await self.token_of(who)}"}
        headers |= {name: self.filled(text) for name, text in more.pop("headers", {}).items()}
        if body is not None:
            more["json"] = self.filled(body)
        reply = await ask(self.http, method, self.filled(target), headers=headers, **more)
        if "clientSecret" in (reply.json or {}):
            self.registered = reply.json
        return reply

    def filled(self, value: Any) -> Any:
        """Text with its braces filled in, at any depth."""
        if isinstance(value, str):
            for name, text in self.names.items():
                value = value.replace(f"{{{name}}}", text)
            return value
        if isinstance(value, dict):
            return {name: self.filled(member) for name, member in value.items()}
        return [self.filled(item) for item in value] if isinstance(value, list) else value

    async def token_of(self, who: str) -> str:
        """The token that goes by this name, made when it is first asked for."""
        if who not in self.tokens:
            makers = {"expired": self._expired_token, "elsewhere": self._token_from_elsewhere}
            self.tokens[who] = await makers[who]() if who in makers else await self.token(who)
        return self.tokens[who]

    async def token(self, who: str, scopes: frozenset[Scope] = ALL_SCOPES) -> str:
        """A fresh token of an agent's."""
        credentials, secret = self.network.services.credentials, self.actors[who].secret
        return (await credentials.token(str(secret.client_id), secret.secret, " ".join(scopes))).text

    @staticmethod
    def a_key() -> str:
        """The text of a public key nobody has."""
        return a_key_pair().public_key.text

    async def enter(self, who: str) -> Actor:
        """A new agent with credentials, a token, and names for its key and fingerprint."""
        key = a_key_pair()
        identity = await self.network.identities.create(f"registration of {who}", key.public_key, None)
        agent = await joined(self.network.storage, an_agent(agent_id=identity, public_key=key.public_key))
        secret = await self.network.clients.create(ClientId(an_id()), agent, ALL_SCOPES)
        caller = Caller(
            agent_id=agent.id,
            public_key=key.public_key,
            client_id=secret.client_id,
            scopes=ALL_SCOPES,
            client_scopes=ALL_SCOPES,
        )
        actor = self.actors[who] = Actor(key=key, caller=caller, secret=secret)
        self.names |= {f"{who}.fingerprint": key.public_key.fingerprint.text, f"{who}.key": key.public_key.text}
        self.names |= {f"{who}.id": str(agent.id), f"{who}.client": str(secret.client_id)}
        self.names |= {f"{who}.secret": secret.secret}
        return actor

    @staticmethod
    def later(by: timedelta) -> Callable[["Stage"], Awaitable[None]]:
        """Lets time pass; tokens are made anew."""

        async def wait(stage: "Stage") -> None:
            stage.network.clock.advance(by)
            stage.tokens.clear()

        return wait

    async def owner_signs(self) -> None:
        """Keeps the owner's signature of the signing request that goes by `request`."""
        told = (await self.ask("owner GET /crypto/signing-requests/{request}")).json
        self.names["signature"] = self.actors["owner"].key.sign(base64.b64decode(told["signingInput"]))

    async def newcomer_signs_in(self) -> None:
        """Lets the agent that was just registered have a token: the answer told its credentials."""
        told = self.registered
        form = {
            "grant_type": "client_credentials",
            "client_id": told["clientId"],
            "client_secret": told["clientSecret"],
        }
        self.names["newcomer.client"] = told["clientId"]
        self.tokens["newcomer"] = (await self.ask("anyone POST /oauth2/token", form)).json["access_token"]

    async def _expired_token(self) -> str:
        clock, now = self.network.clock, self.network.clock.now()
        if self.ory is not None:
            brief = timedelta(seconds=1)
            async with self.ory.lasting(str(self.actors["owner"].secret.client_id), brief):
                token = await self.token("owner")
            clock.advance(brief)
            return token
        clock.set(now - TOKEN_LIFETIME - timedelta(seconds=1))
        token = await self.token("owner")
        clock.set(now)
        return token

    async def _token_from_elsewhere(self) -> str:
        # Signed with this network's key, but in another network's name.
        storage, clock, secret = self.network.storage, self.network.clock, self.actors["owner"].secret
        if self.ory is not None:
            from tests.support.ory.hydra import Hydra  # noqa: PLC0415 - heavy

            # By a key that this Hydra does not publish.
            hydra = Hydra(clock=clock.now, issuer=ELSEWHERE)
            return hydra.sign(hydra.claims(str(secret.client_id), clock.now()), kid="elsewhere")
        keys = TokenKeys(storage=storage, clock=clock, seal=SEAL)
        network = NetworkAddress.of(ELSEWHERE)
        issuer = BuiltinTokenIssuer(storage, clock, SystemRandomness(), keys, ELSEWHERE, network, NaclSignatures())
        return (await issuer.issue(str(secret.client_id), secret.secret, None)).text


@asynccontextmanager
async def a_stage(*, with_ory: bool = False) -> AsyncIterator[Stage]:
    """The stage as every row finds it; `with_ory`, identities, tokens and permissions are Ory's.

    Five diaries of the owner's, each with one entry, `<name>.entry`: `shared` has a reader, a writer and one who was
    revoked; `lent` is offered by `invitation`, which is not answered; nobody else has a part in `private`, `moltnet`
    and `public`, named after their visibility. `request` and its `signature` are the owner's, and so is `voucher`.
    """
    async with AsyncExitStack() as stack:
        ory, options = None, {}
        if with_ory:
            from tests.support.ory.networks import behind  # noqa: PLC0415 - takes a second to import

            ory, options = await stack.enter_async_context(behind())
        network = await stack.enter_async_context(a_network(**options))
        throttling = ThrottlingService(counts=MemoryRateLimits(network.clock), limits=UNTHROTTLED)
        app = create_app(attrs.evolve(network.services, throttling=throttling), RestOptions(webhook_key=WEBHOOK_KEY))
        app.on_response_prepare.append(declared().check)
        async with network.storage.transaction() as work:
            await work.signing_keys.add(a_token_key())
        http = await stack.enter_async_context(TestClient(TestServer(app)))
        if ory is not None:
            ory.hook(_hook_over(http))
        stage = Stage(network=network, http=http, ory=ory)
        await _furnish(stage)
        yield stage


def _hook_over(http: TestClient[Any, Any]) -> "TokenHook":
    """Hydra's way to ask the network what a token is to say."""

    async def hook(asked: Any) -> tuple[int, Any]:
        async with http.post(
            "/hooks/hydra/token-exchange", json=asked, headers={"X-Ory-Api-Key": WEBHOOK_KEY}
        ) as answer:
            return answer.status, await answer.json()

    return hook


async def _furnish(stage: Stage) -> None:
    for who in AGENTS:
        await stage.enter(who)
    stage.names |= {"unknown": UNKNOWN_ID, "unknown.fingerprint": UNKNOWN_FINGERPRINT, "webhook.key": WEBHOOK_KEY}
    await _diaries(stage)
    await _shares(stage)
    await _requests(stage)
    assert not await stage.network.services.transparency.extend()
    assert (await stage.network.services.transparency.checkpoint()).size > 0


async def _diaries(stage: Stage) -> None:
    services, owner = stage.network.services, stage.actors["owner"].caller
    for name in ("shared", "lent", "private", "moltnet", "public"):
        visibility = Visibility(name) if name in set(Visibility) else Visibility.PRIVATE
        diary = await services.diaries.create(owner, name=name, visibility=visibility)
        entry = await services.entries.create(owner, diary.id, NewEntry(content=f"The harbour of the {name} diary"))
        stage.names |= {name: str(diary.id), f"{name}.entry": str(entry.id)}
        stage.network.clock.advance(timedelta(seconds=1))


async def _shares(stage: Stage) -> None:
    sharing, owner = stage.network.services.sharing, stage.actors["owner"].caller
    shared, lent = (DiaryId(UUID(stage.names[name])) for name in ("shared", "lent"))
    for who, role in (("reader", ShareRole.READER), ("writer", ShareRole.WRITER), ("revoked", ShareRole.WRITER)):
        actor = stage.actors[who].caller
        share = await sharing.share(owner, shared, actor.public_key.fingerprint, role)
        await sharing.accept(actor, share.id)
    await sharing.revoke(owner, shared, stage.actors["revoked"].caller.public_key.fingerprint)
    share = await sharing.share(owner, lent, stage.actors["invited"].caller.public_key.fingerprint, ShareRole.READER)
    stage.names["invitation"] = str(share.id)


async def _requests(stage: Stage) -> None:
    services, owner = stage.network.services, stage.actors["owner"]
    request = await services.signing.prepare(owner.caller, "What the owner says")
    stage.names |= {"request": str(request.id), "signature": owner.key.sign(request.framed)}
    stage.names["voucher"] = (await services.vouching.issue(owner.caller)).code
    stage.names |= {"newcomer.key": stage.a_key(), "newcomer.other": stage.a_key()}
