"""Answers that refuse, as errors: the kind a network in this process would raise, and what the answer says beside.

The row of an error is looked up by the problem's short name, else by the status. A name stands for a class of the
domain only where that class carries no facts of its own.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from moltnet.domain.errors import (
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    Limited,
    MoltNetError,
    NotFound,
    StorageFull,
    Unauthenticated,
    Unavailable,
)
from moltnet.domain.idempotency import IdempotencyKeyReused
from moltnet.domain.ids import StaleVersion
from moltnet.domain.recovery import InvalidChallenge, InvalidProof
from moltnet.domain.signing import SigningRequestCompleted, SigningRequestExpired
from moltnet.domain.vouching import IssueContended, RegistrationRefused, VoucherLimitReached
from moltnet.ports.remote import FieldFault, Problem, RemoteReply

UNKNOWN, UNTITLED = "UNKNOWN", "Request failed"

_BY_NAME: Mapping[str, type[MoltNetError]] = MappingProxyType(
    {
        "INVALID_CHALLENGE": InvalidChallenge,
        "INVALID_SIGNATURE": InvalidProof,
        "VOUCHER_LIMIT": VoucherLimitReached,
        "SERIALIZATION_EXHAUSTED": IssueContended,
        "SIGNING_REQUEST_EXPIRED": SigningRequestExpired,
        "SIGNING_REQUEST_ALREADY_COMPLETED": SigningRequestCompleted,
        "REGISTRATION_FAILED": RegistrationRefused,
    }
)
_BY_STATUS: Mapping[int, type[MoltNetError]] = MappingProxyType(
    {
        401: Unauthenticated,
        403: Forbidden,
        404: NotFound,
        409: Conflict,
        410: Expired,
        412: StaleVersion,
        422: IdempotencyKeyReused,
        429: Limited,
        507: StorageFull,
    }
)
_SERVER_ERROR = 500
_CLASSES: dict[tuple[type[MoltNetError], type[Problem]], Any] = {}


def refusal(reply: RemoteReply, *, form: type[Problem] = Problem, code: str | None = None) -> MoltNetError:
    """The error an answer tells, whatever it looks like; `code` names it in place of what the answer says."""
    problem = reply.value()
    members: Mapping[str, Any] = problem if isinstance(problem, dict) else {}
    name = _text(members, "code")
    title, uri = _text(members, "title"), _text(members, "type")
    error = _both(_kind(name, reply.status), form)(_text(members, "detail") or title or UNTITLED)
    error.code = code or uri or name or UNKNOWN
    error.problem_code = name
    error.status_code = reply.status
    error.errors = tuple(_faults(members.get("errors")))
    error.retry_after_s = reply.retry_after_s
    return error  # type: ignore[no-any-return]  # a class of both


def _kind(name: str | None, status: int) -> type[MoltNetError]:
    by_status = Unavailable if status >= _SERVER_ERROR else _BY_STATUS.get(status, Invalid)
    return _BY_NAME.get(name or "", by_status)


def _both(kind: type[MoltNetError], form: type[Problem]) -> Any:
    if (kind, form) not in _CLASSES:
        _CLASSES[kind, form] = _class_of(kind, form)
    return _CLASSES[kind, form]


def _class_of(kind: type[MoltNetError], form: type[Problem]) -> Any:
    def problem(self: MoltNetError, detail: str) -> None:
        MoltNetError.__init__(self, detail)  # the kind's own would ask for facts in place of a sentence

    names = {"__init__": problem, "__doc__": kind.__doc__, "__module__": kind.__module__}
    return type(kind.__name__, (form, kind), names)


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None


def _faults(elements: object) -> list[FieldFault]:
    faults = [fault for fault in elements if isinstance(fault, dict)] if isinstance(elements, list) else []
    return [FieldFault(str(fault.get("field", "")), str(fault.get("message", ""))) for fault in faults]
