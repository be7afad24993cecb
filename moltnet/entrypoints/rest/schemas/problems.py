"""How problems look on the wire (RFC 9457; docs/reference/http.md, "Problems")."""

from typing import Annotated

import attrs

from moltnet.domain.constraints import Description


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
