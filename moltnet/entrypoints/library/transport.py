"""How an operation reaches its network: the one thing that a client needs, and that transport within this process."""

import hashlib
from typing import Any, Protocol, TypeVar
from uuid import UUID

import attrs
from cattrs.preconf.json import make_converter

from moltnet.domain.caller import Anonymous, Caller, require_caller
from moltnet.domain.idempotency import IdempotentRequest
from moltnet.domain.keys import Fingerprint
from moltnet.domain.versions import ANY_VERSION, Expected
from moltnet.entrypoints.library.caller_context import CallerContext
from moltnet.entrypoints.library.coerce import coerced
from moltnet.entrypoints.operations.operation import Auth, Call, Operation

Given = TypeVar("Given")
Output = TypeVar("Output")


class Transport(Protocol):
    """What carries an operation to a network, and its answer back."""

    async def call(
        self,
        operation: Operation[Given, Output],
        given: Given,
        *,
        key: str | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Output:
        """What the operation answers.

        `key` names a request that is to be carried out once however often it is sent; `expected` names the versions a
        change is meant for. Raises what the network refuses with.
        """
        ...


@attrs.frozen
class InProcess:
    """The transport within the network's own process: the use case is run for whoever acts.

    A token's scopes hold here too. Nothing is counted: who runs the network has no need to hold itself up.
    """

    _context: CallerContext

    async def call(
        self,
        operation: Operation[Given, Output],
        given: Given,
        *,
        key: str | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Output:
        """What the use case answers. Raises Unauthenticated, MissingScope, and for input that is malformed, Invalid."""
        caller = self._caller(operation)
        read = coerced(given)
        call = Call(services=self._context.services, caller=caller, expected=expected)
        if key is None:
            return await operation.run(call, read)
        request = _named(operation, require_caller(caller), key, read)
        outcome = await call.services.idempotency.once(
            request, lambda record: operation.run(attrs.evolve(call, record=record), read), _stored
        )
        output: Any = operation.output
        answer: Output = _CONVERTER.loads(outcome.answer, output)
        return answer

    def _caller(self, operation: Operation[Given, Output]) -> Caller | Anonymous:
        caller = require_caller(self._context.caller) if operation.auth is Auth.REQUIRED else self._context.caller
        if isinstance(caller, Caller):
            caller.require(*operation.scopes)
        return caller


def _named(operation: Operation[Given, Output], caller: Caller, key: str, given: Given) -> IdempotentRequest:
    # A token that may see less asks for less: it is not answered what another was.
    asked = hashlib.sha256(_stored([_CONVERTER.unstructure(given), *caller.lacks])).digest()
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
