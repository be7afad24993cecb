"""Distinct identifier types over UUID, their one text form, and versions of what is edited.

By versions nobody overwrites a change that was not read (lost updates).
"""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NewType, Protocol
from uuid import UUID

import attrs

from moltnet.domain.errors import Conflict

AgentId = NewType("AgentId", UUID)
DiaryId = NewType("DiaryId", UUID)
EntryId = NewType("EntryId", UUID)
ShareId = NewType("ShareId", UUID)
VoucherId = NewType("VoucherId", UUID)
SigningRequestId = NewType("SigningRequestId", UUID)
PreparedRecordId = NewType("PreparedRecordId", UUID)
ClientId = NewType("ClientId", UUID)
WebSessionId = NewType("WebSessionId", UUID)

_UUID_TEXT = re.compile(
    r"(?:urn:uuid:)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII | re.IGNORECASE
)


def parse_uuid(text: str) -> UUID | None:
    """The UUID a text names: any case, an optional `urn:uuid:` before it (RFC 9562 §4); None for any other text."""
    match = _UUID_TEXT.fullmatch(text)
    return UUID(match[1]) if match else None


_TICK = timedelta(microseconds=1)  # as fine as a database keeps time
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class StaleVersion(Conflict):
    """The thing is not the version the caller read; nothing was written."""

    code = "STALE_VERSION"
    sentence = "It was changed since you read it; read it again and repeat the change"


class Versioned(Protocol):
    """What is edited. `updated_at` belongs to one version only; looking at a thing makes no new one."""

    @property
    def id(self) -> UUID:
        """Which thing it is."""

    @property
    def updated_at(self) -> datetime:
        """When this version was made."""


def version_of(thing: Versioned) -> str:
    """The name of a thing's present version: visible ASCII, its own among all versions of all things."""
    return f"{thing.id.hex}.{(thing.updated_at - _BEGINNING) // _TICK:x}"


def version_time(version: str) -> datetime | None:
    """When the version of this name was made; None for a text that names none."""
    _, dot, ticks = version.partition(".")
    try:
        return _BEGINNING + int(ticks, 16) * _TICK if dot else None
    except (ValueError, OverflowError):
        return None


def next_version(thing: Versioned, at: datetime) -> datetime:
    """When a version made `at` counts as made: after the one before, even if the clock stood still or went back."""
    return max(at, thing.updated_at + _TICK)


@attrs.frozen
class Expected:
    """Which versions of a thing a caller is ready to change; None, any (RFC 9110 §13.1.1)."""

    versions: Collection[str] | None = None

    @classmethod
    def of(cls, *things: Versioned) -> "Expected":
        """The versions of things as they were read: an edit of one of them since came first."""
        return cls(frozenset(map(version_of, things)))

    @property
    def is_any(self) -> bool:
        """Whether the change is meant for whatever is there."""
        return self.versions is None

    def unless_changed_since(self, thing: Versioned) -> datetime | None:
        """What the write must still find as the thing's `updated_at`; None, anything. Raises StaleVersion."""
        if self.versions is None:
            return None
        self.check(thing)
        return thing.updated_at

    def check(self, thing: Versioned) -> None:
        """Raises StaleVersion unless the thing is a version that is expected."""
        if self.versions is not None and version_of(thing) not in self.versions:
            raise StaleVersion


ANY_VERSION = Expected()
