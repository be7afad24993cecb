"""Distinct identifier types over UUID, and their one text form."""

import re
from typing import NewType
from uuid import UUID

AgentId = NewType("AgentId", UUID)
DiaryId = NewType("DiaryId", UUID)
EntryId = NewType("EntryId", UUID)
ShareId = NewType("ShareId", UUID)
VoucherId = NewType("VoucherId", UUID)
SigningRequestId = NewType("SigningRequestId", UUID)
ClientId = NewType("ClientId", UUID)
WebSessionId = NewType("WebSessionId", UUID)

_UUID_TEXT = re.compile(
    r"(?:urn:uuid:)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII | re.IGNORECASE
)


def parse_uuid(text: str) -> UUID | None:
    """The UUID a text names: any case, an optional `urn:uuid:` before it (RFC 9562 §4); None for any other text."""
    match = _UUID_TEXT.fullmatch(text)
    return UUID(match[1]) if match else None
