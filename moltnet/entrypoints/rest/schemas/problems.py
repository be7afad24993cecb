"""How problems look on the wire (RFC 9457; docs/reference/http.md, "Problems")."""

from typing import Annotated

import attrs

from moltnet.domain.constraints import Description
from moltnet.entrypoints.discovery.problem_types import ProblemSlug
from moltnet.entrypoints.discovery.problem_types import ProblemType as Row


@attrs.frozen(kw_only=True)
class ProblemDetails:
    """A problem document."""

    type: Annotated[str, Description("A URI that names the kind of problem")]
    title: str
    status: int
    code: Annotated[str, Description("A stable name of the kind, for programs")]
    detail: str
    instance: Annotated[str, Description("The target of the request that met the problem")]
    retry_after: Annotated[int, Description("Seconds after which to try again")] | None = None


@attrs.frozen
class ValidationError:
    """One rule that the request breaks, and where."""

    field: Annotated[str, Description("A JSON pointer, the bare name of a missing member, or `unknown` for the whole")]
    message: str


@attrs.frozen(kw_only=True)
class ValidationProblemDetails(ProblemDetails):
    """A problem document that lists the rules the request breaks."""

    errors: tuple[ValidationError, ...]


@attrs.frozen(kw_only=True)
class ProblemTypePath:
    """One kind of problem."""

    type: ProblemSlug


@attrs.frozen(kw_only=True)
class ProblemType:
    """A kind of problem, and what it means for whoever meets one."""

    type: str
    title: str
    status: int
    code: str
    description: str
    common_causes: tuple[str, ...]


def problem_type_form(row: Row) -> ProblemType:
    """A kind of problem as the wire tells it."""
    return ProblemType(
        type=row.type,
        title=row.title,
        status=row.status,
        code=row.code,
        description=row.description,
        common_causes=row.common_causes,
    )
