"""Whether a part that this process stands on can do its work."""

from typing import Protocol


class ReadinessCheck(Protocol):
    """One part's own answer. It is asked about once a second, by one caller at a time."""

    async def check(self) -> None:
        """Returns when the part can do its work.

        Raises:
            Unavailable: it cannot; the sentence is for anybody, so it names no address, path or account.
            StorageLost: it never will again in this process.
        """
        ...
