"""Entries in lists: what says nothing is left out, since a model pays for every character that it reads.

`diary_get` and `public_feed_read` show one entry in full.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import attrs

from moltnet.domain.authors import Author
from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.views import FeedItem, Remembered

_DIGITS = 3


@attrs.frozen(kw_only=True)
class Credit:
    """Who wrote or changed an entry; agent_lookup has the key."""

    fingerprint: str
    assumed: Literal[True] | None = None


@attrs.frozen(kw_only=True)
class EntryItem:
    """An entry among others.

    No title, no tags, not superseded, never changed, nothing like an attempt to instruct its reader: these are absent.
    """

    id: UUID
    diary_id: UUID | None = None
    title: str | None = None
    content: str
    tags: tuple[str, ...] | None = None
    injection_risk: Literal[True] | None = None
    importance: int | None = None
    entry_type: EntryType | None = None
    superseded_by: UUID | None = None
    created_at: datetime
    updated_at: datetime | None = None
    occurred_at: datetime | None = None
    author: Credit | None = None
    edited_by: Credit | None = None


def entry_item(entry: Entry | Remembered | FeedItem) -> EntryItem:
    """An entry of a diary that the reader has named, or of the feed, which names none."""
    fields = {name: getattr(entry, name) for name in _PLAIN if getattr(entry, name, None) not in _NOTHING}
    if fields.get("updated_at") == entry.created_at:
        del fields["updated_at"]
    return EntryItem(**fields, author=_credit(entry.author), edited_by=_credit(entry.edited_by))


def rounded(share: float) -> float:
    """A score or cosine as far as it says something."""
    return round(share, _DIGITS)


def _credit(author: Author | None) -> Credit | None:
    return Credit(fingerprint=author.fingerprint.text, assumed=author.assumed or None) if author else None


_NOTHING = (None, "", (), False)
_PLAIN = tuple(field.name for field in attrs.fields(EntryItem) if field.name not in {"diary_id", "author", "edited_by"})
