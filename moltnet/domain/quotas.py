"""How much one agent may have stored of what it wrote, in whichever diaries."""

import attrs

from moltnet.domain.errors import Limited


class QuotaExceeded(Limited):
    """The agent has stored as much as the operator allows one agent."""

    code = "QUOTA_EXCEEDED"

    def __init__(self, most: int, unit: str) -> None:
        self.most, self.unit = most, unit
        super().__init__(
            f"You may have stored {most} {unit} of your own, and this would be more. Delete or shorten some first"
        )


@attrs.frozen(kw_only=True)
class Usage:
    """How many entries an agent wrote that are stored, and the bytes of their contents in UTF-8."""

    entries: int
    bytes: int


@attrs.frozen(kw_only=True)
class Quota:
    """The most of each; None for any number."""

    entries: int | None = None
    bytes: int | None = None

    @property
    def is_set(self) -> bool:
        """Whether anything is limited: else nobody counts."""
        return self.entries is not None or self.bytes is not None

    def check(self, usage: Usage) -> None:
        """Raises QuotaExceeded for more than is allowed."""
        if self.entries is not None and usage.entries > self.entries:
            raise QuotaExceeded(self.entries, "entries")
        if self.bytes is not None and usage.bytes > self.bytes:
            raise QuotaExceeded(self.bytes, "bytes")


UNLIMITED = Quota()
