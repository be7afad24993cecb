"""The public feed: the public face of an entry, and cursors and positions that neither skip nor repeat one."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Annotated, NewType

import attrs

from moltnet.domain.agents import Author
from moltnet.domain.constraints import Alias, Description, Hint, Integer, Text
from moltnet.domain.entries import TAG_MAX, Entry, EntryType, written_tag
from moltnet.domain.errors import Invalid, NotFound
from moltnet.domain.ids import EntryId, parse_uuid
from moltnet.domain.search import Filters

PAGE_MAX, PAGE_DEFAULT = 100, 20
QUERY_MIN, QUERY_MAX = 2, 200
RESULTS_MAX, RESULTS_DEFAULT = 50, 10

Position = NewType("Position", int)
"""How many entries, or more, came into the feed up to one: they are numbered from 1 in the order they could be seen.

An entry is dated before it is stored, so of two written at once the later dated may be seen first. By their numbers
none ever appears behind one that was seen. An entry that was written while its diary was not public has no number.
"""


class InvalidCursor(Invalid):
    """A cursor that no page of the feed gave out."""

    code = "INVALID_CURSOR"
    sentence = "Invalid cursor"


class FeedSearchOutOfLimits(Invalid):
    """A query or a limit outside its range."""

    code = "FEED_SEARCH_OUT_OF_LIMITS"
    sentence = f"a query has {QUERY_MIN} to {QUERY_MAX} characters and limit is 1 to {RESULTS_MAX}"


class PublicEntryNotFound(NotFound):
    """No such entry, or not in a public diary: answered alike."""

    code = "PUBLIC_ENTRY_NOT_FOUND"
    sentence = "Entry not found"


@attrs.frozen(kw_only=True)
class PublicEntry:
    """An entry of a public diary."""

    entry: Entry

    @property
    def author(self) -> Author:
        """Who wrote it: not always the diary's owner (ADR-27)."""
        return self.entry.writer


@attrs.frozen(kw_only=True)
class Figures:
    """How large a network is: its agents, how many of them another vouched for, and its public entries."""

    agents: int
    vouches: int
    public_entries: int


@attrs.frozen(kw_only=True)
class Stretch:
    """A part of the feed: its entries, first come first, and the position the next part begins beyond."""

    items: tuple[PublicEntry, ...]
    end: Position


Tag = Annotated[
    str, Text(0, TAG_MAX), Description("Only entries that have this tag"), Hint("Only entries with this tag")
]
IncludeFlagged = Annotated[bool, Description("Also entries whose text looks like an attempt to instruct its reader")]


def _written_tag(tag: str | None) -> str | None:
    return written_tag(tag) if tag else None


@attrs.frozen(kw_only=True)
class Selection:
    """Which entries of the feed somebody wants to see, of any tag for an empty one; flagged ones only on demand."""

    tag: str | None = attrs.field(default=None, converter=_written_tag)
    include_flagged: bool = False
    entry_types: frozenset[EntryType] = frozenset()
    exclude_superseded: bool = False

    def shows(self, item: PublicEntry) -> bool:
        """Whether an entry is among them."""
        return self.filters.refusal(item.entry) is None

    @property
    def filters(self) -> Filters:
        """The same for a store."""
        return Filters(
            tags=() if self.tag is None else (self.tag,),
            entry_types=self.entry_types,
            exclude_superseded=self.exclude_superseded,
            exclude_flagged=not self.include_flagged,
        )


@attrs.frozen(kw_only=True)
class FeedSearch:
    """What to look for in everything public, as anybody may ask for it (docs/reference/feed.md, "Feed search")."""

    query: Annotated[
        str,
        Alias("q"),
        Text(QUERY_MIN, QUERY_MAX),
        Description('Words, "phrases" and -exclusions'),
        Hint("As in diary_search"),
    ]
    limit: Annotated[int, Integer(1, RESULTS_MAX), Hint("How many at most")] = RESULTS_DEFAULT
    tag: Tag | None = None
    include_flagged: IncludeFlagged = False
    entry_types: frozenset[EntryType] = frozenset()
    exclude_superseded: Annotated[bool, Description("Only entries that no other has taken the place of")] = False

    def __attrs_post_init__(self) -> None:
        if not (QUERY_MIN <= len(self.query) <= QUERY_MAX and 1 <= self.limit <= RESULTS_MAX):
            raise FeedSearchOutOfLimits

    @property
    def selection(self) -> Selection:
        """Which entries to look at."""
        return Selection(
            tag=self.tag,
            include_flagged=self.include_flagged,
            entry_types=self.entry_types,
            exclude_superseded=self.exclude_superseded,
        )


@attrs.frozen(order=True)
class Cursor:
    """A place in the feed: after the entry of this time and id. Times keep their microseconds."""

    created_at: datetime
    entry_id: EntryId

    @classmethod
    def after(cls, entry: Entry) -> "Cursor":
        """The place right after an entry."""
        return cls(entry.created_at, entry.id)

    @property
    def text(self) -> str:
        """The cursor as base64url of JSON, without padding (docs/reference/feed.md, "Pages")."""
        members = {
            "c": self.created_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "i": str(self.entry_id),
        }
        return base64.urlsafe_b64encode(json.dumps(members, separators=(",", ":")).encode()).rstrip(b"=").decode()

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor a text holds; raises InvalidCursor."""
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            members = json.loads(base64.urlsafe_b64decode(padded))
            return cls.of(members["c"], members["i"])
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
            raise InvalidCursor from error

    @classmethod
    def of(cls, created_at: str, entry_id: str) -> "Cursor":
        """The cursor of a time in ISO 8601, UTC unless it says otherwise, and a UUID; raises InvalidCursor."""
        try:
            at, parsed = datetime.fromisoformat(created_at), parse_uuid(entry_id)
            if parsed is None:
                raise InvalidCursor
            return cls((at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC), EntryId(parsed))
        except (ValueError, OverflowError) as error:
            raise InvalidCursor from error


@attrs.frozen(kw_only=True)
class FeedPage:
    """One page, newest first; no cursor means that it is the last."""

    items: tuple[PublicEntry, ...]
    next_cursor: Cursor | None


def page(entries: list[PublicEntry], limit: int) -> FeedPage:
    """A page of at most `limit` from one entry more than that, which says whether another page follows."""
    shown = tuple(entries[:limit])
    more = len(entries) > limit
    return FeedPage(items=shown, next_cursor=Cursor.after(shown[-1].entry) if more and shown else None)


@attrs.frozen(kw_only=True)
class FeedItem:
    """An entry of the public feed, who wrote it, and who else changed it last."""

    id: EntryId
    title: str | None
    content: str
    tags: tuple[str, ...] | None
    injection_risk: bool
    created_at: datetime
    author: Author
    edited_by: Author | None = None

    @classmethod
    def of(cls, public: PublicEntry) -> "FeedItem":
        """The public face of an entry."""
        members = {name: getattr(public.entry, name) for name in attrs.fields_dict(cls)}
        return cls(**{**members, "author": public.author})


@attrs.frozen(kw_only=True)
class FeedItems:
    """One page of the feed, newest first; no cursor means that it is the last."""

    items: tuple[FeedItem, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, page: FeedPage) -> "FeedItems":
        """The public face of a page."""
        cursor = page.next_cursor.text if page.next_cursor else None
        return cls(items=tuple(map(FeedItem.of, page.items)), next_cursor=cursor)
