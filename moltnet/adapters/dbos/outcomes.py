"""What a step or a workflow ended with, as text that any release can read: its answer, or the error it raised.

Errors are values here. Raised through the library they would be logged as failures of the program with their stack,
and read back as another class.
"""

import builtins
import json
from collections.abc import Awaitable, Callable, Iterator

from moltnet.domain.errors import MoltNetError
from moltnet.ports.workflows import Json


async def outcome_of(act: Callable[[], Awaitable[Json]]) -> str:
    """Acts, and says what became of it. What is no `Exception`, such as a lost ownership, is let through."""
    try:
        return text_of({"answer": await act()})
    except Exception as error:  # noqa: BLE001 - kept, and raised to whoever asks for the outcome
        return text_of({"error": _named(error)})


def unwrap(outcome: str) -> Json:
    """The answer of an outcome, or raises its error: the same class with the same sentence, without further facts."""
    read = json.loads(outcome)
    if "error" in read:
        raise _error(read["error"])
    answer: Json = read["answer"]
    return answer


def text_of(value: object) -> str:
    """JSON text in ASCII, so that no character is too much for the database.

    Raises TypeError and ValueError for what JSON cannot hold (RFC 8259 has no NaN).
    """
    return json.dumps(value, allow_nan=False)


def _named(error: Exception) -> dict[str, str | None]:
    if isinstance(error, MoltNetError):
        return {"code": error.code, "detail": error.detail}
    return {"code": None, "class": type(error).__name__, "detail": str(error)}


def _error(named: dict[str, str | None]) -> Exception:
    detail = str(named["detail"])
    if named["code"] is None:
        builtin = getattr(builtins, str(named["class"]), None)
        if isinstance(builtin, type) and issubclass(builtin, Exception) and not issubclass(builtin, UnicodeError):
            return builtin(detail)
        return RuntimeError(f"{named['class']}: {detail}")
    for kind in _family(MoltNetError):
        if kind.code == named["code"]:
            # Not by its own constructor: that takes the facts, of which only the sentence was stored.
            error = kind.__new__(kind)
            MoltNetError.__init__(error, detail)
            return error
    return RuntimeError(f"{named['code']}: {detail}")


def _family(kind: type[MoltNetError]) -> Iterator[type[MoltNetError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _family(each)
