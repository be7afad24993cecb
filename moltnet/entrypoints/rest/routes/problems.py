"""The kinds of problem over REST (docs/reference/endpoints.md, "Problem types")."""

from moltnet.entrypoints.discovery.problem_types import PROBLEM_TYPES
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.problems import ProblemType, ProblemTypePath, problem_type_form

_BY_SLUG = {row.slug: row for row in PROBLEM_TYPES}


async def kinds(_: Call[None, None, None]) -> Answer:
    """List the kinds of problem this network tells."""
    return Answer([problem_type_form(row) for row in PROBLEM_TYPES])


async def kind(call: Call[ProblemTypePath, None, None]) -> Answer:
    """Read what a kind of problem means."""
    return Answer(problem_type_form(_BY_SLUG[call.params.type]))


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "GET",
        "/problems",
        "listProblemTypes",
        "problems",
        kinds,
        auth=Auth.NONE,
        answers={200: list[ProblemType]},
        free_when_bare=True,
    ),
    Route(
        "GET",
        "/problems/{type}",
        "getProblemType",
        "problems",
        kind,
        auth=Auth.NONE,
        params=ProblemTypePath,
        answers={200: ProblemType},
    ),
)
