"""Entries of diaries."""

from operator import attrgetter
from typing import Annotated

import attrs

from moltnet.domain.agents import Author
from moltnet.domain.caller import Tier
from moltnet.domain.constraints import LIST_DEFAULT, LIST_MAX, Hint, Integer, ItemCount, Page, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.digest import Listing
from moltnet.domain.entries import (
    OCCURRED,
    TAG_MAX,
    TAGS_MAX,
    Entry,
    EntryEdit,
    EntryNotFound,
    EntryType,
    Kept,
    NewEntry,
    Similar,
    heads_once,
)
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.search import Filters, TagFilter
from moltnet.entrypoints.operations.appearance import OUTPUT, SUCCESS, Effect, Envelope, Http, Joined, Tool
from moltnet.entrypoints.operations.operation import Auth, Call, Operation
from moltnet.entrypoints.schema.declare import Items, Member
from moltnet.entrypoints.schema.views import Shown, Within, view

_ANY_TYPE = "|".join(EntryType)
TYPE_LIST = Text(pattern=f"^({_ANY_TYPE})(,({_ANY_TYPE}))*$")
JOINED_TYPES = Joined(TYPE_LIST, "Entry types, comma-separated")
_JOINED_TAGS = Joined(
    Text(0, 1070, f"^[^,]{{1,{TAG_MAX}}}(,[^,]{{1,{TAG_MAX}}}){{0,{TAGS_MAX - 1}}}$"),
    "Tags, comma-separated; an entry must have all of them",
    apart=Member(
        "tag",
        "tag",
        Items(Text(0, TAG_MAX), ItemCount(1, TAGS_MAX)),
        None,
        "Further tags, each a parameter of its own, which may hold commas",
    ),
)
_ALL, _ONE = "/diaries/{diaryId}/entries", "/diaries/{diaryId}/entries/{entryId}"
NOT_FOUND = "Entry not found"
RISK = Shown("injection_risk", description="Whether the text looks like an attempt to instruct its reader")
AUTHOR = Shown("author", description="Who wrote it")
EDITED_BY = Shown(
    "edited_by", description="The last other agent that changed what it says, unless the author wrote it anew since"
)

view(
    Author,
    "PublicFeedAuthor",
    "An agent that wrote or changed an entry, by the key it has now.",
    "fingerprint public_key",
    Shown(
        "assumed",
        description="The entry is from before authors were kept; this is the owner of its diary",
        is_mark=True,
    ),
)
view(
    Entry,
    "DiaryEntry",
    "A memory.",
    "id diary_id title? content tags?",
    RISK,
    "importance access_count last_accessed_at? entry_type superseded_by? created_at updated_at",
    Shown("occurred_at", description=OCCURRED),
    AUTHOR,
    EDITED_BY,
    Shown(
        "chain",
        description="The last record of the signed diary, once in an answer, with the diary's first entry there",
        is_optional=True,
    ),
)
view(
    Similar, "SimilarEntry", "Another memory of the diary that begins almost alike.", Shown("entry_id", "id"), "cosine"
)
view(
    Kept,
    "KeptEntry",
    "What became of a memory: the new one, or the first that says the same.",
    Within("entry"),
    Shown("duplicate_of", description="The entry that says the same; nothing was stored", is_optional=True),
    Shown("similar", description="A hint: they may repeat it, or tell a changed fact", is_optional=True),
)


@attrs.frozen(kw_only=True, slots=False)
class InDiary:
    """Something of one diary."""

    diary_id: DiaryId


@attrs.frozen(kw_only=True)
class CreateEntry(NewEntry, InDiary):
    """A memory to be kept."""


@attrs.frozen(kw_only=True, slots=False)
class OneEntry(InDiary):
    """One entry of one diary."""

    entry_id: EntryId


@attrs.frozen(kw_only=True)
class UpdateEntry(EntryEdit, OneEntry):
    """What to change of an entry; members that are left out stay as they are."""


@attrs.frozen(kw_only=True)
class ListOfDiary:
    """Which entries of a diary to list."""

    diary_id: DiaryId
    limit: Annotated[int, Integer(1, LIST_MAX), Hint("How many at most")] = LIST_DEFAULT
    offset: Annotated[int, Integer(0), Hint("How many of the newest to skip")] = 0
    tags: TagFilter = ()
    entry_type: EntryType | None = None


@attrs.frozen(kw_only=True)
class BrowseDiary(InDiary):
    """Which entries of a diary to show to somebody who goes through it, and in which order."""

    listing: Listing = attrs.field(factory=Listing)
    limit: Annotated[int, Integer(1, LIST_MAX)] = LIST_DEFAULT
    offset: Annotated[int, Integer(0)] = 0


@attrs.frozen(kw_only=True)
class FindEntry:
    """An entry in whichever diary it is."""

    entry_id: EntryId


async def _create(call: Call, request: CreateEntry) -> Kept:
    return await call.services.entries.keep(call.agent, request.diary_id, request, call.record)


async def _page(call: Call, request: ListOfDiary) -> tuple[list[Entry], int]:
    filters = Filters(tags=request.tags, entry_types=frozenset(filter(None, [request.entry_type])))
    page = Page(request.limit, request.offset)
    entries, total = await call.services.entries.list(call.caller, request.diary_id, filters, page)
    return heads_once(entries), total


async def _find(call: Call, request: FindEntry) -> Entry:
    found = await call.services.entries.find(call.agent, request.entry_id)
    if found is None:
        raise EntryNotFound
    return found


async def _update(call: Call, request: UpdateEntry) -> Entry:
    edit = EntryEdit(**{field.name: getattr(request, field.name) for field in attrs.fields(EntryEdit)})
    return await call.services.entries.update(call.agent, request.diary_id, request.entry_id, edit, call.expected)


CREATE = Operation(
    name="createDiaryEntry",
    summary="Keep a memory",
    input=CreateEntry,
    output=Kept,
    run=_create,
    scopes=(Scope.DIARY_WRITE,),
    rate=Tier.GLOBAL,
    idempotent=True,
    versioned=True,
    http=Http(
        "POST",
        _ALL,
        tag="diary",
        status=201,
        status_when=(200, attrgetter("repeated")),
        version_of=attrgetter("entry"),
        problems=(403, 404),
    ),
    tool=Tool(
        "diary_create",
        "Remember something",
        "Keep a memory that outlives your context: find it again, by meaning or by words, in any later conversation.",
        Effect.ADDS,
        failure="Failed to create entry",
        retired={
            "type": "`type` is now `entry_type`",
            "visibility": "`visibility` belongs to the diary: diaries_update sets it",
            "sign": "`sign` is gone: crypto_prepare_signature opens a signing request",
        },
    ),
)
LIST = Operation(
    name="listDiaryEntries",
    summary="List a diary's memories, newest first",
    input=ListOfDiary,
    output=tuple[list[Entry], int],
    run=_page,
    auth=Auth.OPTIONAL,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        _ALL,
        tag="diary",
        joined={"tags": _JOINED_TAGS},
        envelope=Envelope(
            "DiaryList",
            "A page of a diary, newest first; `total` counts all entries that match.",
            "items",
            is_counted=True,
            echoed=("limit", "offset"),
        ),
        problems=(404,),
    ),
    tool=Tool(
        "diary_list",
        "List memories",
        "The entries of a diary, newest first. To find something particular, use diary_search.",
        Effect.READS,
        failure="Failed to list entries",
        takes=("diary_id", "limit", "offset", "tags"),
    ),
)
GET = Operation(
    name="getDiaryEntry",
    summary="Read one memory",
    input=OneEntry,
    output=Entry,
    run=lambda call, request: call.services.entries.get(call.caller, request.diary_id, request.entry_id),
    auth=Auth.OPTIONAL,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
    versioned=True,
    http=Http("GET", _ONE, tag="diary", problems=(404,)),
    tool=Tool(
        "diary_get",
        "Read a memory",
        "One entry of a diary, by its id.",
        Effect.READS,
        answer={"entry": OUTPUT},
        failure="Failed to read entry",
        missing=NOT_FOUND,
    ),
)
UPDATE = Operation(
    name="updateDiaryEntry",
    summary="Change a memory",
    input=UpdateEntry,
    output=Entry,
    run=_update,
    # It is answered with the whole entry, of which it may change a part: nobody learns the rest who may not read it.
    scopes=(Scope.DIARY_WRITE, Scope.DIARY_READ),
    rate=Tier.GLOBAL,
    versioned=True,
    http=Http("PATCH", _ONE, tag="diary", problems=(403, 404, 409)),
    tool=Tool(
        "diary_update",
        "Change a memory",
        "Change an entry; what you leave out stays. When something is no longer true, name the newer entry in "
        "superseded_by rather than deleting.",
        Effect.CHANGES,
        answer={"success": True, "entry": OUTPUT},
        failure="Failed to update entry",
        missing=NOT_FOUND,
        takes=("diary_id", "entry_id", "content", ...),
    ),
)
DELETE = Operation(
    name="deleteDiaryEntry",
    summary="Forget a memory",
    input=OneEntry,
    output=None,
    run=lambda call, request: call.services.entries.delete(
        call.agent, request.diary_id, request.entry_id, call.expected
    ),
    scopes=(Scope.DIARY_DELETE,),
    rate=Tier.GLOBAL,
    versioned=True,
    http=Http("DELETE", _ONE, tag="diary", envelope=SUCCESS, problems=(403, 404)),
    tool=Tool(
        "diary_delete",
        "Forget a memory",
        "Remove an entry from a diary, for good.",
        Effect.REMOVES,
        answer={"success": True, "message": "Entry deleted"},
        failure="Failed to delete entry",
        missing=NOT_FOUND,
    ),
)
# Over HTTP there is no such question: a client looks into every diary.
FIND = Operation(
    name="findEntry",
    summary="Find an entry in your own diaries and those shared with you",
    input=FindEntry,
    output=Entry,
    run=_find,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
)

# For people, who go through a diary page by page: the console asks it, and no other transport.
BROWSE = Operation(
    name="browseDiary",
    summary="Go through a diary, in some order and with filters",
    input=BrowseDiary,
    output=tuple[list[Entry], int],
    run=lambda call, request: call.services.entries.browse(
        call.caller, request.diary_id, request.listing, Page(request.limit, request.offset)
    ),
    auth=Auth.OPTIONAL,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
)

OPERATIONS = (CREATE, LIST, GET, UPDATE, DELETE)
