"""What an operation is: a declaration that every transport reads.

    CREATE = Operation(
        name="createDiary",
        summary="Create a diary",
        input=CreateDiary,
        output=Diary,
        run=lambda call, given: call.services.diaries.create(call.agent, name=given.name, record=call.record),
        scopes=(Scope.DIARY_WRITE,),
        rate=Tier.GLOBAL,
        idempotent=True,
        http=Http("POST", "/diaries", tag="diary", status=201),
        tool=Tool("diaries_create", "Create a diary", "…", Effect.ADDS, answer={"diary": OUTPUT}, failure="…"),
    )

The input is one frozen class, wherever its members come from: in a path, a query, a body, or the arguments of a tool.
The output is a class with a view (`schema.declare.view`), a class of `domain.views`, a list of either, or a plain
value; how it is wrapped is said beside each appearance.
"""

from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Annotated, Any, Generic, TypeVar

import attrs

from moltnet.domain.caller import Anonymous, Caller, Tier, require_caller
from moltnet.domain.constraints import PAGE_LIMIT_MAX, Integer, Page
from moltnet.domain.credentials import Scope
from moltnet.domain.ids import ANY_VERSION, Expected
from moltnet.domain.services import Services
from moltnet.domain.services.requests import SaveResponse, unrecorded
from moltnet.entrypoints.operations.appearance import Http, Tool
from moltnet.entrypoints.schema.declare import Constant, Shape, members_of, shape_of
from moltnet.ports.storage import UnitOfWork

Input = TypeVar("Input")
Output = TypeVar("Output")
Created = TypeVar("Created")


class Auth(Enum):
    """What is asked of a token.

    REQUIRED: a good token, else it is refused. OPTIONAL: none, or a good one; a token that is not good is refused here
    too, so that an agent whose token expired is told so instead of being shown what strangers see. NONE: it is not
    looked at. WEBHOOK: it is not looked at either; the key of the services behind us is, in a header of its own.
    """

    REQUIRED = auto()
    OPTIONAL = auto()
    NONE = auto()
    WEBHOOK = auto()


@attrs.frozen(kw_only=True)
class Call:
    """One call of an operation: the use cases, who asks, and what was named beside the input.

    `record` is given to a use case that creates something, with what it is about to create (`services.idempotency`).
    """

    services: Services
    caller: Caller | Anonymous
    expected: Expected = ANY_VERSION
    record: SaveResponse[Any] = unrecorded

    @property
    def agent(self) -> Caller:
        """The caller, where there must be one; raises Unauthenticated for an anonymous one."""
        return require_caller(self.caller)

    def recording(self, shown: Callable[[Created], object]) -> SaveResponse[Created]:
        """`record` for a use case that creates something else than what is answered."""

        async def record(work: UnitOfWork, created: Created) -> None:
            await self.record(work, shown(created))

        return record


@attrs.frozen(kw_only=True, slots=False)
class Operation(Generic[Input, Output]):
    """Something that can be asked of a network.

    Attributes:
        name: its name in the OpenAPI document, and in what is counted and recorded.
        summary: what it does, in a few words.
        output: what `run` answers; None for nothing.
        scopes: what a token must carry.
        rate: what its requests are counted with; None does not count them.
        idempotent: whether it may be named by a key, under which it is carried out once.
        versioned: whether it is about one thing that is edited: answers tell its version, changes may name it.
        http: how it looks over HTTP; None where it is not offered.
        tool: how it looks as a tool; None where it is not offered.
    """

    name: str
    summary: str
    input: type[Input]
    output: type[Output] | None
    run: Callable[[Call, Input], Awaitable[Output]]
    auth: Auth = Auth.REQUIRED
    scopes: tuple[Scope, ...]
    rate: Tier | None
    idempotent: bool = False
    versioned: bool = False
    http: Http | None = None
    tool: Tool | None = None

    def __attrs_post_init__(self) -> None:
        """Raises TypeError for an input or output without a shape, and for a path that does not fit the input."""
        members_of(self.input)
        if self.http:
            self.http.parts(self.input)
            _ = self.answer

    @property
    def shape(self) -> Shape:
        """The shape of the output."""
        return shape_of(self._shown)

    @property
    def answer(self) -> Shape:
        """The shape of what is answered over HTTP."""
        envelope = self.http.envelope if self.http else None
        return envelope.around(self._shown, members_of(self.input)) if envelope else self.shape

    def wrapped(self, shown: Output, request: Input) -> object:
        """What is answered over HTTP, before it is JSON."""
        answer = True if self.output is None else shown
        return self.http.envelope.wrap(answer, request) if self.http and self.http.envelope else answer

    @property
    def _shown(self) -> object:
        return Constant(value=True) if self.output is None else self.output


AnyOperation = Operation[Any, Any]


@attrs.frozen(kw_only=True)
class Nothing:
    """An input without members."""


@attrs.frozen(kw_only=True)
class ListPage:
    """Which part of a list to show; without either, as much of it as is shown at once."""

    limit: Annotated[int, Integer(1, PAGE_LIMIT_MAX)] = PAGE_LIMIT_MAX
    offset: Annotated[int, Integer(0)] = 0

    @property
    def page(self) -> Page:
        """The same as storage takes it."""
        return Page(self.limit, self.offset)
