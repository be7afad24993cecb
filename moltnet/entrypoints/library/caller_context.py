"""What every part of a local agent stands on: the use cases, who acts, and requests that are carried out once."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import attrs
from cattrs.preconf.json import make_converter

from moltnet.domain.caller import Anonymous, Caller, require_caller
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.idempotency import IdempotentRequest
from moltnet.domain.keys import Fingerprint
from moltnet.domain.operations import Operation
from moltnet.domain.services import Services
from moltnet.domain.services.idempotency import SaveResponse, unrecorded
from moltnet.entrypoints.library.lifetime import Lifetime
from moltnet.ports.keyring import Keyring, OwnIdentity

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

    def require_caller(self, operation: Operation) -> Caller:
        """Who does something; raises Unauthenticated for nobody in particular, and MissingScope."""
        caller = require_caller(self.caller)
        caller.require(*operation.scopes)
        return caller

    def optional_caller(self, operation: Operation) -> Caller | Anonymous:
        """Who reads something that may be open to everyone; raises MissingScope."""
        if isinstance(self.caller, Caller):
            self.caller.require(*operation.scopes)
        return self.caller

    def renew(self, credentials: ClientSecret) -> None:
        """Goes on with a fresh secret, and keeps it wherever the agent's identity is kept."""
        if self.keyring is not None:
            self.keyring.renew(credentials)
        if self.identity is not None:
            self.identity = attrs.evolve(self.identity, credentials=credentials)


@attrs.frozen(kw_only=True)
class IdempotentCall:
    """A request that creates something, which happens once for each key of the agent's; every time without one.

    `asked` is everything it asks, in an order of its own: by that the same request is known again.
    """

    context: CallerContext
    operation: Operation
    key: str | None
    asked: tuple[object, ...]

    async def once(
        self,
        answer: type[Result],
        carry_out: Callable[[SaveResponse[Any]], Awaitable[Any]],
        shown: Callable[[Any], Result] = lambda result: result,
    ) -> Result:
        """What was made, as it is shown to the agent; of a repeated request, what its first sending was told.

        Raises MalformedIdempotencyKey, IdempotencyKeyReused, and what `carry_out` raises.
        """
        if self.key is None:
            return shown(await carry_out(unrecorded))
        caller = require_caller(self.context.caller)
        request = IdempotentRequest(
            agent_id=caller.agent_id,
            operation=f"library {self.operation}",
            key=self.key,
            # A token that may see less asks for less: it is not answered what another was.
            fingerprint=hashlib.sha256(_written((*self.asked, *caller.lacks))).digest(),
        )
        outcome = await self.context.services.idempotency.once(
            request, carry_out, lambda result: _written(shown(result))
        )
        return _CONVERTER.loads(outcome.answer, answer)


def _written(value: object) -> bytes:
    return _CONVERTER.dumps(value).encode()


_CONVERTER = make_converter()
_CONVERTER.register_unstructure_hook(UUID, str)
_CONVERTER.register_structure_hook(UUID, lambda text, _: UUID(text))
_CONVERTER.register_unstructure_hook(Fingerprint, str)
_CONVERTER.register_structure_hook(Fingerprint, lambda text, _: Fingerprint(text))
