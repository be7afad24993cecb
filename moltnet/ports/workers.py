"""Work for the processor, beside the event loop."""

from collections.abc import Callable
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Workers(Protocol):
    """Runs computations whose cost grows with a text, so that no request waits while another one's text is read."""

    async def run(self, work: Callable[[], Result], size: int) -> Result:
        """What `work` returns or raises; where it runs is decided by `size`.

        Args:
            work: a computation that waits for nothing and touches nothing that others change. No single call of it
                into C code may take long: the interpreter cannot switch to the event loop meanwhile.
            size: about how many characters it reads. A small one is run at once, where it is called.

        A call that is cancelled before its turn is never run. Any number of event loops may call.
        """
        ...
