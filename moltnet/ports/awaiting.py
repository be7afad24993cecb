"""Whether anybody still waits for what is being done."""

from collections.abc import Callable
from contextvars import ContextVar

# Set by a transport for each request, and asked before costly work begins: the client may have left. From any thread.
IS_AWAITED: ContextVar[Callable[[], bool]] = ContextVar("IS_AWAITED", default=lambda: True)
