"""How an error is told in a tool's result: the phrase the tool has for it, and beside it what REST would have told.

The phrases are the tools' own and stand with them; `code` and `status` are those of REST's one table.
"""

import logging

import attrs

from moltnet.domain.errors import Limited, MoltNetError, Unavailable
from moltnet.entrypoints.rest.problems import DISCLOSED, STATUSES, row_of
from moltnet.ports.remote import Problem

NOT_AUTHENTICATED = "Not authenticated"

_SERVER_FAULT = 500
_LOG = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Failure:
    """A tool's result when it did not do what it was asked.

    `detail` is a sentence for a person, without anything the caller may not know. `retry_after` is in seconds.
    """

    error: str
    code: str
    status: int
    detail: str
    retry_after: int | None = None

    @property
    def members(self) -> dict[str, object]:
        """The result's members."""
        return attrs.asdict(self, filter=lambda _, value: value is not None)


def failure(error: MoltNetError, message: str) -> Failure:
    """An error under a phrase; a service that is down is logged here, once, and not described."""
    if isinstance(error, Unavailable):
        _LOG.warning("%s", error.detail, exc_info=error)
    code, status = _code_and_status(error)
    return Failure(
        error=message,
        code=code,
        status=status,
        detail=_detail(error, status),
        retry_after=error.retry_after_s if isinstance(error, Limited | Problem) else None,
    )


def _detail(error: MoltNetError, status: int) -> str:
    if isinstance(error, DISCLOSED):
        return error.sentence
    return Unavailable.sentence if status >= _SERVER_FAULT else error.detail


def _code_and_status(error: MoltNetError) -> tuple[str, int]:
    row = row_of(type(error))
    if isinstance(error, Problem):
        return error.problem_code or row.code, error.status_code
    return row.code, STATUSES.get(type(error), row.status)
