"""How an operation reaches its network: the one thing that a client needs, and that transport within this process."""

import hashlib
import os
from collections.abc import AsyncIterator
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import attrs
from cattrs.preconf.json import make_converter

from moltnet.domain.caller import Anonymous, Caller, require_caller
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import ProcessForked, Unavailable
from moltnet.domain.feed import Cursor, FeedItem
from moltnet.domain.idempotency import IdempotentRequest
from moltnet.domain.ids import ANY_VERSION, Expected
from moltnet.domain.keys import Fingerprint
from moltnet.domain.recovery import CodeRefused, Recovery
from moltnet.domain.services import Services
from moltnet.domain.views import Document
from moltnet.entrypoints.discovery.document import NetworkInfo, NetworkUrls, network_info
from moltnet.entrypoints.discovery.markdown import llms_text
from moltnet.entrypoints.library.coerce import coerced
from moltnet.entrypoints.operations.feed import FollowFeed
from moltnet.entrypoints.operations.operation import AnyOperation, Auth, Call, Operation
from moltnet.entrypoints.schema.convert import json_value
from moltnet.ports.keys import KeyPair, Keyring, OwnIdentity


class NetworkClosed(Unavailable):
    """The context of the network in this process was left, and its agents with it."""

    code = "NETWORK_CLOSED"
    sentence = "The network of this agent is closed; use agents within the 'with' block that opened it"


@attrs.define
class Lifetime:
    """Of a network in this process, and of all its agents."""

    is_over: bool = False
    process: int = attrs.field(factory=os.getpid)

    def check(self) -> None:
        """Raises NetworkClosed, and ProcessForked in a child of the process that opened the network."""
        if self.process != os.getpid():
            raise ProcessForked
        if self.is_over:
            raise NetworkClosed


Result = TypeVar("Result")


@attrs.define(kw_only=True)
class CallerContext:
    """Who acts in a network, and by what.

    `identity` is the agent's own, where this process holds it; its client secret is the present one.
    """

    _services: Services
    caller: Caller | Anonymous
    identity: OwnIdentity | None = None
    keyring: Keyring | None = None
    _lifetime: Lifetime = attrs.field(factory=Lifetime)

    @property
    def services(self) -> Services:
        """The use cases; raises NetworkClosed and ProcessForked."""
        self._lifetime.check()
        return self._services

    def renew(self, credentials: ClientSecret) -> None:
        """Continues with a fresh secret, and stores it wherever the agent's identity is stored."""
        if self.keyring is not None:
            self.keyring.renew(credentials)
        if self.identity is not None:
            self.identity = attrs.evolve(self.identity, credentials=credentials)

    def replace_key(self, keys: KeyPair, credentials: ClientSecret) -> None:
        """Continues as the same agent with another key, and with the credentials that came with it."""
        self.caller = attrs.evolve(require_caller(self.caller), public_key=keys.public_key)
        if self.identity is not None:
            self.identity = attrs.evolve(
                self.identity,
                public_key=keys.public_key,
                private_key=keys.seed_text,
                fingerprint=keys.public_key.fingerprint,
                credentials=credentials,
            )


Input = TypeVar("Input")
Output = TypeVar("Output")


class Transport(Protocol):
    """What carries an operation to a network, and its answer back."""

    async def call(
        self,
        operation: Operation[Input, Output],
        request: Input,
        *,
        key: str | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Output:
        """What the operation answers.

        `key` names a request that is to be carried out once however often it is sent; `expected` names the versions a
        change is meant for. Raises what the network refuses with.
        """

    def offers(self, operation: AnyOperation) -> bool:
        """Whether the operation can be asked for by this way."""

    def follow(self, request: FollowFeed, after: FeedItem | None) -> AsyncIterator[FeedItem]:
        """What comes into the feed after an item, or from now on, without end."""

    async def network_info(self) -> Document:
        """The discovery document."""

    async def llms_txt(self) -> str:
        """The same as Markdown."""

    @property
    def network(self) -> str:
        """The address of the network that is asked."""

    @property
    def keyring(self) -> Keyring | None:
        """Where the agent's identity is stored, if it is."""

    def replaced(self, keys: KeyPair, credentials: ClientSecret) -> None:
        """Continues with another key, and with its credentials, which are stored already."""

    async def renew(self, credentials: ClientSecret) -> None:
        """Continues with a fresh secret, and stores it wherever the agent's identity is stored."""

    async def finish_recovery(self, recovery: Recovery) -> ClientSecret:
        """Exchanges a recovery's code for a session, and that for a fresh secret."""


@attrs.frozen
class InProcess:
    """The transport within the network's own process: the use case is run for a caller.

    A token's scopes hold here too. Nothing is counted: who runs the network has no need to hold itself up.
    """

    _context: CallerContext
    _urls: NetworkUrls

    async def call(
        self,
        operation: Operation[Input, Output],
        request: Input,
        *,
        key: str | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Output:
        """What the use case answers. Raises Unauthenticated, MissingScope, and for input that is malformed, Invalid."""
        caller = self._caller(operation)
        read = coerced(request)
        call = Call(services=self._context.services, caller=caller, expected=expected)
        if key is None:
            return await operation.run(call, read)
        idempotent = _named(operation, require_caller(caller), key, read)
        outcome = await call.services.idempotency.once(
            idempotent, lambda record: operation.run(attrs.evolve(call, record=record), read), _stored
        )
        output: Any = operation.output
        answer: Output = _CONVERTER.loads(outcome.answer, output)
        return answer

    def offers(self, _: AnyOperation) -> bool:
        """All of them."""
        return True

    async def follow(self, request: FollowFeed, after: FeedItem | None) -> AsyncIterator[FeedItem]:
        cursor = Cursor(after.created_at, after.id) if after else None
        async for group in await self._context.services.feed.follow(cursor, request.selection):
            for public in group:
                yield FeedItem.of(public)

    async def network_info(self) -> Document:
        info = json_value(self._info())
        return info if isinstance(info, dict) else {}

    async def llms_txt(self) -> str:
        return llms_text(self._info())

    @property
    def network(self) -> str:
        return self._urls.api_url

    @property
    def keyring(self) -> Keyring | None:
        return self._context.keyring

    def replaced(self, keys: KeyPair, credentials: ClientSecret) -> None:
        self._context.replace_key(keys, credentials)

    async def renew(self, credentials: ClientSecret) -> None:
        self._context.renew(credentials)

    async def finish_recovery(self, recovery: Recovery) -> ClientSecret:
        """Exchanges a recovery's code for a session, and that for a fresh secret; raises CodeRefused."""
        flow = parse_qs(urlsplit(recovery.flow_url).query).get("flow", [""])[0]
        answer = await self._context.services.recovery.answer_flow(flow, recovery.code)
        if answer.session_token is None:
            raise CodeRefused
        return await self._context.services.credentials.rotate_by_session(answer.session_token)

    def _info(self) -> NetworkInfo:
        return network_info(self._urls, self._context.services.search.embedding_model)

    def _caller(self, operation: Operation[Input, Output]) -> Caller | Anonymous:
        caller = require_caller(self._context.caller) if operation.auth is Auth.REQUIRED else self._context.caller
        if isinstance(caller, Caller):
            caller.require(*operation.scopes)
        return caller


def _named(operation: Operation[Input, Output], caller: Caller, key: str, request: Input) -> IdempotentRequest:
    # A token that may see less asks for less: it is not answered what another was.
    asked = hashlib.sha256(_stored([_CONVERTER.unstructure(request), *caller.lacks])).digest()
    return IdempotentRequest(
        agent_id=caller.agent_id, operation=f"library {operation.name}", key=key, fingerprint=asked
    )


def _stored(value: object) -> bytes:
    return _CONVERTER.dumps(value).encode()


# Nothing is lost here, as times are in the JSON of the wire: a repeated request is answered the exact version.
_CONVERTER = make_converter()
_CONVERTER.register_unstructure_hook(UUID, str)
_CONVERTER.register_structure_hook(UUID, lambda text, _: UUID(text))
_CONVERTER.register_unstructure_hook(Fingerprint, str)
_CONVERTER.register_structure_hook(Fingerprint, lambda text, _: Fingerprint(text))
