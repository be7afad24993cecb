"""Work that nobody waits for."""

from collections.abc import Coroutine
from typing import Any, Protocol


class Background(Protocol):
    """Runs small jobs beside the requests, such as counting that an entry was read. Losing one loses no promise."""

    def run(self, job: Coroutine[Any, Any, None]) -> None:
        """Starts the job and returns; a job that fails is logged, not raised. Closing the owner waits for all."""
        ...
