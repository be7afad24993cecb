"""What a route is: a declaration that the server, the OpenAPI document and the tests all read.

A handler is a coroutine function that takes a typed Call, asks one use case, and returns an Answer:

    async def create(call: Call[None, CreateDiary, None]) -> Answer:
        diary = await call.services.diaries.create(call.agent, call.body.name, call.body.visibility)
        return Answer(diary_form(diary), status=201)

    Route("POST", "/diaries", "createDiary", "diary", create, body=CreateDiary, answers={201: DiaryCatalog})
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import attrs
from aiohttp import web
from attrs.converters import optional

from moltnet.domain.caller import Anonymous, Caller, Tier, require_caller
from moltnet.domain.credentials import Scope
from moltnet.domain.ids import Expected
from moltnet.domain.services import Services
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.request_parts import IF_MATCH, expected_versions
from moltnet.entrypoints.schema.declare import Members, members_of

Params = TypeVar("Params")
Body = TypeVar("Body")
Query = TypeVar("Query")

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_NONE: Mapping[int, object] = MappingProxyType({})
_PATH_NAME = re.compile(r"\{(\w+)\}")


@attrs.frozen
class Answer:
    """A handler's answer: a form, or plain JSON values where the shape is not ours."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = _NO_HEADERS


@attrs.frozen(kw_only=True)
class Call(Generic[Params, Body, Query]):
    """One request, checked and converted; parts that the route does not declare are None."""

    services: Services
    caller: Caller | Anonymous
    params: Params
    body: Body
    query: Query
    request: web.Request

    @property
    def agent(self) -> Caller:
        """The caller, where there must be one; raises Unauthenticated for nobody in particular."""
        return require_caller(self.caller)

    @property
    def expected(self) -> Expected:
        """Which versions of the thing the change is meant for; raises MalformedHeader."""
        return expected_versions(self.request.headers.getall(IF_MATCH, ["*"]))


Handler = Callable[[Call[Params, Body, Query]], Awaitable[Answer | web.StreamResponse]]
RefusalForm = Callable[[Exception], Answer | None]


@attrs.frozen
class Route(Generic[Params, Body, Query]):
    """One operation of the wire.

    Attributes:
        scopes: what a token must carry; what the domain asks for the operation, unless stated otherwise.
        answers: the form of each success status; None for an answer without a described body.
        media_type: what the answers are, where they are not JSON.
        problems: statuses of problems that are this operation's own, beside those every route can have.
        refusals: the form of each refusal that `refusal_form` tells.
        tier: what its requests are counted with; None does not count them.
        free_when_bare: whether requests without a query are not counted, whatever the tier.
        versioned: whether it is about one thing that is edited: answers tell its version, changes may name it.
        idempotent: whether it takes an Idempotency-Key.
        recognises_caller: whether it takes an Idempotency-Key to know the first caller again.
        lists_errors: whether a validation problem lists its faults (docs/reference/endpoints.md).
        takes_forms: whether the body may be form-encoded too.
        refusal_form: how this route renders an error, where that is not a problem document; None leaves it to be one.
        documented: whether the OpenAPI document shows it.
        summary: what it does, in a few words; the first line of its handler's docstring, unless said otherwise.
    """

    method: str
    path: str
    operation_id: str
    tag: str
    handler: Handler[Params, Body, Query]
    auth: Auth = attrs.field(default=Auth.REQUIRED, kw_only=True)
    scopes: tuple[Scope, ...] = attrs.field(default=(), kw_only=True)
    params: Members | None = attrs.field(default=None, kw_only=True, converter=optional(members_of))
    body: Members | None = attrs.field(default=None, kw_only=True, converter=optional(members_of))
    query: Members | None = attrs.field(default=None, kw_only=True, converter=optional(members_of))
    answers: Mapping[int, object] = attrs.field(kw_only=True)
    media_type: str = attrs.field(default="application/json", kw_only=True)
    problems: tuple[int, ...] = attrs.field(default=(), kw_only=True)
    refusals: Mapping[int, object] = attrs.field(default=_NONE, kw_only=True)
    tier: Tier | None = attrs.field(default=Tier.GLOBAL, kw_only=True)
    free_when_bare: bool = attrs.field(default=False, kw_only=True)
    versioned: bool = attrs.field(default=False, kw_only=True)
    idempotent: bool = attrs.field(default=False, kw_only=True)
    recognises_caller: bool = attrs.field(default=False, kw_only=True)
    lists_errors: bool = attrs.field(default=True, kw_only=True)
    takes_forms: bool = attrs.field(default=False, kw_only=True)
    refusal_form: RefusalForm | None = attrs.field(default=None, kw_only=True)
    documented: bool = attrs.field(default=True, kw_only=True)
    summary: str = attrs.field(kw_only=True)

    @summary.default
    def _of_the_handler(self) -> str:
        return (self.handler.__doc__ or self.operation_id).strip().splitlines()[0].rstrip(".")

    def __attrs_post_init__(self) -> None:
        declared = [member.alias for member in self.params.members] if self.params else []
        if sorted(declared) != sorted(_PATH_NAME.findall(self.path)):
            raise TypeError(f"{self.operation_id}: the path {self.path} does not hold the parameters {declared}")

    @property
    def reads_body(self) -> bool:
        """Whether the method has a body to read at all."""
        return self.method not in {"GET", "HEAD"}

    @property
    def takes_condition(self) -> bool:
        """Whether it changes or removes a thing that has versions."""
        return self.versioned and self.method in {"PATCH", "DELETE"}


AnyRoute = Route[Any, Any, Any]
