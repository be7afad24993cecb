"""The kinds of problem that a network tells."""

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.views import ProblemKind
from moltnet.entrypoints.discovery.problem_types import PROBLEM_TYPES, ProblemSlug, ProblemType
from moltnet.entrypoints.operations.operation import Auth, Call, Http, Nothing, Operation
from moltnet.entrypoints.schema.views import view

_BY_SLUG = {row.slug: row for row in PROBLEM_TYPES}

view(
    ProblemKind,
    "ProblemType",
    "A kind of problem, and what it means for whoever meets one.",
    "type title status code description common_causes",
)


@attrs.frozen(kw_only=True)
class OneKind:
    """One kind of problem."""

    type: ProblemSlug


def kind_of(row: ProblemType) -> ProblemKind:
    """A row of the table as it is shown."""
    return ProblemKind(
        type=row.type,
        title=row.title,
        status=row.status,
        code=row.code,
        description=row.description,
        common_causes=row.common_causes,
    )


async def _list(_: Call, __: Nothing) -> list[ProblemKind]:
    return list(map(kind_of, PROBLEM_TYPES))


async def _get(_: Call, request: OneKind) -> ProblemKind:
    return kind_of(_BY_SLUG[request.type])


LIST = Operation(
    name="listProblemTypes",
    summary="List the kinds of problem this network tells",
    input=Nothing,
    output=list[ProblemKind],
    run=_list,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http("GET", "/problems", tag="problems", free_when_bare=True),
)
GET = Operation(
    name="getProblemType",
    summary="Read what a kind of problem means",
    input=OneKind,
    output=ProblemKind,
    run=_get,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http("GET", "/problems/{type}", tag="problems"),
)

OPERATIONS = (LIST, GET)
