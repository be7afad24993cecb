"""The family of errors: kinds, stable codes, and the facts an error carries.

A concrete error stands next to the rule it guards and subclasses one kind. Transports (REST, MCP, command line) render
errors by class; nothing here knows a status number.
"""

from typing import ClassVar


class MoltNetError(Exception):
    """What every refusal of the network is; never raised itself.

    `code` is stable and unique within the family; `detail` is one sentence for a person and holds no secret.
    """

    code: ClassVar[str] = "MOLTNET_ERROR"
    sentence: ClassVar[str] = "The request was refused"

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or self.sentence
        super().__init__(self.detail)


class Invalid(MoltNetError):
    """The request itself is wrong; sending it again unchanged cannot succeed."""

    code = "INVALID"
    sentence = "The request is not valid"


class Unauthenticated(MoltNetError):
    """Nobody in particular is asking, or the proof of identity does not hold."""

    code = "UNAUTHENTICATED"
    sentence = "Authentication required"


class Forbidden(MoltNetError):
    """The caller may know of the thing but may not do this to it."""

    code = "FORBIDDEN"
    sentence = "Insufficient permissions"


class NotFound(MoltNetError):
    """There is no such thing, as far as this caller may know."""

    code = "NOT_FOUND"
    sentence = "Not found"


class Conflict(MoltNetError):
    """The thing is in a state that does not admit the request."""

    code = "CONFLICT"
    sentence = "The request conflicts with the current state"


class Expired(MoltNetError):
    """The thing was valid once; its time has passed."""

    code = "EXPIRED"
    sentence = "Expired"


class Limited(MoltNetError):
    """The caller has used up an allowance; later it may succeed, where it is known when: after `retry_after_s`."""

    code = "LIMITED"
    sentence = "Too many requests"
    retry_after_s: int | None = None


class Unavailable(MoltNetError):
    """A service behind the network does not answer; nothing is known about the outcome."""

    code = "UNAVAILABLE"
    sentence = "A service behind this one is unavailable"


class ProcessForked(Unavailable):
    """Connections, locks and threads stay with the process that made them: its child would wait for them for ever."""

    code = "PROCESS_FORKED"
    sentence = "This agent belongs to the parent of this process; connect, or open the network, after forking"


class StorageUnavailable(Unavailable):
    """The database could not be reached in time; nothing was read or written."""

    code = "STORAGE_UNAVAILABLE"
    sentence = "The database is unavailable"


class StatementTimedOut(StorageUnavailable):
    """The database worked too long on one statement and gave it up; what it belonged to was undone."""

    code = "STATEMENT_TIMED_OUT"
    sentence = "The database took too long and gave up; ask for less, or try again later"


class StorageFull(Unavailable):
    """The database has no room: nothing was written. What is stored can still be read."""

    code = "STORAGE_FULL"
    sentence = (
        "The database has no room left, so nothing was stored. What is stored can still be read; try again when the "
        "operator of this network has freed some space"
    )


class StorageReadOnly(Unavailable):
    """The database takes no writes at present, as a standby or one under maintenance does."""

    code = "STORAGE_READ_ONLY"
    sentence = "The database does not accept writes at present"


class StorageLost(Unavailable):
    """The database is gone for good; this process cannot continue."""

    code = "STORAGE_LOST"
    sentence = "The database no longer exists"
