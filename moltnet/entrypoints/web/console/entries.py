"""Entries: the list of a diary with its filters, one entry, writing, editing, and what is done to several at once."""

import math
from contextlib import suppress

from aiohttp import web

from moltnet.domain.constraints import LIST_MAX
from moltnet.domain.digest import Listing, Order
from moltnet.domain.entries import (
    IMPORTANCE_DEFAULT,
    IMPORTANCE_MAX,
    Entry,
    EntryNotFound,
    EntryType,
    NewEntry,
)
from moltnet.domain.errors import Conflict, MoltNetError
from moltnet.domain.ids import EntryId, Expected, parse_uuid, version_of
from moltnet.domain.keys import Fingerprint
from moltnet.domain.search import Filters
from moltnet.entrypoints.operations.entries import BROWSE, BrowseDiary
from moltnet.entrypoints.rest.refusals import UnknownRoute
from moltnet.entrypoints.web.console.diaries import DIARIES, diary_id
from moltnet.entrypoints.web.console.endpoint import ConsoleRequest, ConsoleRoute, see_other
from moltnet.entrypoints.web.console.fields import Fields, MalformedField, with_changes
from moltnet.entrypoints.web.routing import Html

PER_PAGE = 25
PREVIEW = 280
_ONE = DIARIES + "/{diary}"
_ENTRY = _ONE + "/entries/{entry}"
FILTERS = ("type", "tag", "from", "to", "importance", "writer", "state", "order")


async def _list(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    agent, fields = asked.agent, asked.fields
    diary = await agent.diaries.get(diary_id(asked))
    page = max(1, fields.number("page", 1))
    entries, total = await agent.transport.call(BROWSE, _browsed(asked, page))
    values = {
        "diary": diary,
        "is_own": diary.owner_id == asked.caller.agent_id,
        "entries": entries,
        "total": total,
        "page": page,
        "pages": max(1, math.ceil(total / PER_PAGE)),
        "address": lambda **changes: "?" + with_changes(fields, FILTERS, **changes),
        "fields": fields,
        "is_filtered": any(fields.optional(name) for name in FILTERS),
        "types": list(EntryType),
        "orders": list(Order),
        "preview": PREVIEW,
        "refused": refused,
    }
    return Html("console/diary.html", values, size=sum(len(entry.content) for entry in entries))


def _browsed(asked: ConsoleRequest, page: int) -> BrowseDiary:
    fields, state = asked.fields, asked.fields.text("state")
    writer = fields.optional("writer")
    return BrowseDiary(
        diary_id=diary_id(asked),
        limit=PER_PAGE,
        offset=(page - 1) * PER_PAGE,
        listing=Listing(
            filters=Filters(
                tags=fields.tags("tag"),
                entry_types=frozenset(filter(None, [fields.choice("type", EntryType)])),
                exclude_superseded=state == "current",
                since=fields.day("from"),
                until=fields.day("to", is_end=True),
            ),
            min_importance=min(IMPORTANCE_MAX, fields.number("importance", 0)),
            writer=Fingerprint.parse(writer) if writer else None,
            only_flagged=state == "flagged",
            only_superseded=state == "superseded",
            order=fields.choice("order", Order) or Order.NEWEST,
        ),
    )


def entry_id(asked: ConsoleRequest) -> EntryId:
    """The entry that the path names; raises UnknownRoute for what is not an id."""
    parsed = parse_uuid(asked.part("entry"))
    if parsed is None:
        raise UnknownRoute
    return EntryId(parsed)


async def _get(asked: ConsoleRequest) -> Html:
    agent = asked.agent
    diary = await agent.diaries.get(diary_id(asked))
    entry = await agent.diary.get(diary.id, entry_id(asked))
    successor = await _successor(asked, entry)
    asked_for = BrowseDiary(diary_id=diary.id, listing=Listing(successor=entry.id), limit=LIST_MAX)
    replaced, _ = await agent.transport.call(BROWSE, asked_for)
    values = {"diary": diary, "entry": entry, "successor": successor, "replaced": replaced}
    return Html("console/entry.html", values, size=len(entry.content))


async def _successor(asked: ConsoleRequest, entry: Entry) -> Entry | None:
    if entry.superseded_by is None:
        return None
    try:
        return await asked.agent.diary.get(entry.diary_id, entry.superseded_by)
    except EntryNotFound:
        return None


async def _write(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    diary = await asked.agent.diaries.get(diary_id(asked))
    replaces = asked.fields.identifier("replaces")
    old = await asked.agent.diary.get(diary.id, EntryId(replaces)) if replaces else None
    typed = _typed(asked.fields) if refused or old is None else _stored(old)
    return _editor(asked, diary=diary, entry=None, replaces=old, version="", refused=refused, **typed)


def _typed(fields: Fields) -> dict[str, object]:
    return {
        "title": fields.text("title"),
        "content": fields.text("content"),
        "tags": fields.text("tags"),
        "importance": fields.text("importance") or str(IMPORTANCE_DEFAULT),
        "type": fields.text("type") or EntryType.SEMANTIC.value,
        "occurred": fields.text("occurred"),
        "successor": fields.text("successor"),
    }


def _stored(entry: Entry) -> dict[str, object]:
    return {
        "title": entry.title or "",
        "content": entry.content,
        "tags": ", ".join(entry.tags or ()),
        "importance": str(entry.importance),
        "type": entry.entry_type.value,
        "occurred": f"{entry.occurred_at:%Y-%m-%d}" if entry.occurred_at else "",
        "successor": str(entry.superseded_by or ""),
    }


def _editor(asked: ConsoleRequest, **values: object) -> Html:
    return Html("console/editor.html", {"types": list(EntryType), **values}, size=len(asked.fields.text("content")))


async def _create(asked: ConsoleRequest) -> web.Response:
    """Keeps an entry, which supersedes the one that it was written in place of."""
    replaces = asked.fields.identifier("replaces")
    stored = await asked.agent.diary.keep(diary_id(asked), new_entry(asked.fields))
    if replaces and replaces != stored.entry.id:
        with suppress(EntryNotFound):
            await asked.agent.diary.update(diary_id(asked), EntryId(replaces), superseded_by=stored.entry.id)
    return see_other(_url(stored.entry), "written")


def new_entry(fields: Fields) -> NewEntry:
    """What the editor's form says; raises MalformedField."""
    return NewEntry(
        content=fields.text("content"),
        title=fields.optional("title"),
        tags=fields.tags("tags") or None,
        importance=fields.number("importance", IMPORTANCE_DEFAULT),
        entry_type=fields.choice("type", EntryType) or EntryType.SEMANTIC,
        occurred_at=fields.day("occurred"),
    )


async def _edit(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    agent = asked.agent
    diary = await agent.diaries.get(diary_id(asked))
    diary.check_unsigned()
    entry = await agent.diary.get(diary.id, entry_id(asked))
    typed = _typed(asked.fields) if refused else _stored(entry)
    version = asked.fields.text("version") or version_of(entry)
    return _editor(asked, diary=diary, entry=entry, replaces=None, version=version, refused=refused, **typed)


async def _update(asked: ConsoleRequest) -> web.Response:
    """Changes an entry as it was when the form was made: an edit of somebody else's in between is not overwritten."""
    fields, agent = asked.fields, asked.agent
    entry = await agent.diary.get(diary_id(asked), entry_id(asked))
    successor = fields.identifier("successor")
    occurred = fields.day("occurred")
    same_day = entry.occurred_at and occurred and entry.occurred_at.date() == occurred.date()
    edited = await agent.diary.update(
        entry.diary_id,
        entry.id,
        title=fields.text("title") if fields.text("title") != (entry.title or "") else None,
        content=fields.text("content"),
        tags=fields.tags("tags"),
        importance=fields.number("importance", entry.importance),
        entry_type=fields.choice("type", EntryType),
        superseded_by=EntryId(successor) if successor else None,
        occurred_at=None if same_day else occurred,
        expected=Expected(frozenset({fields.text("version")})),
    )
    return see_other(_url(edited), "saved")


async def _delete_page(asked: ConsoleRequest) -> Html:
    agent = asked.agent
    diary = await agent.diaries.get(diary_id(asked))
    entry = await agent.diary.get(diary.id, entry_id(asked))
    return _confirm(asked, [entry], diary=diary, action="delete", candidates=[])


async def _confirm_bulk(asked: ConsoleRequest, chosen: list[EntryId], action: str) -> Html:
    agent = asked.agent
    diary = await agent.diaries.get(diary_id(asked))
    diary.check_unsigned()
    entries = [await agent.diary.get(diary.id, each) for each in chosen]
    candidates: list[Entry] = []
    if action == "supersede":
        listing = Listing(filters=Filters(exclude_superseded=True))
        current = BrowseDiary(diary_id=diary.id, listing=listing, limit=PER_PAGE + len(chosen))
        newest, _ = await agent.transport.call(BROWSE, current)
        candidates = [entry for entry in newest if entry.id not in chosen][:PER_PAGE]
    return _confirm(asked, entries, diary=diary, action=action, candidates=candidates)


def _confirm(asked: ConsoleRequest, entries: list[Entry], **values: object) -> Html:
    values |= {"entries": entries, "preview": PREVIEW, "is_unanswered": asked.fields.is_on("confirmed")}
    return Html("console/entries_confirm.html", values, size=sum(len(entry.content) for entry in entries))


class PartlyDone(Conflict):
    """Some of several entries were changed, and then one could not be."""

    code = "PARTLY_DONE"


async def _bulk(asked: ConsoleRequest) -> Html | web.Response:
    """Tags, supersedes or deletes what is selected; what loses something is asked about once more."""
    fields, diary = asked.fields, diary_id(asked)
    action, chosen = fields.text("action"), [EntryId(each) for each in fields.identifiers("id")]
    if not chosen:
        raise MalformedField("Select the entries first")
    if action not in _ACTIONS:
        raise MalformedField("Choose what to do with them")
    is_answered = fields.is_on("confirmed") and (action != "supersede" or _chosen_successor(fields) is not None)
    if action != "tag" and not is_answered:
        return await _confirm_bulk(asked, chosen, action)
    for done, each in enumerate(chosen):
        try:
            await _ACTIONS[action](asked, each)
        except MoltNetError as error:
            if not done:
                raise
            raise PartlyDone(f"{done} of {len(chosen)} entries are changed; the next is not: {error.detail}") from error
    return see_other(f"{DIARIES}/{diary}", {"tag": "tagged", "supersede": "superseded", "delete": "deleted"}[action])


async def _tag(asked: ConsoleRequest, each: EntryId) -> None:
    added = asked.fields.tags("tags")
    if not added:
        raise MalformedField("Name the tags to add")
    entry = await asked.agent.diary.get(diary_id(asked), each)
    tags = tuple(dict.fromkeys((*(entry.tags or ()), *added)))
    # A tag that somebody adds meanwhile is not lost: then this edit is refused.
    expected = Expected(frozenset({version_of(entry)}))
    await asked.agent.diary.update(entry.diary_id, each, tags=tags, expected=expected)


async def _supersede(asked: ConsoleRequest, each: EntryId) -> None:
    await asked.agent.diary.update(diary_id(asked), each, superseded_by=_chosen_successor(asked.fields))


def _chosen_successor(fields: Fields) -> EntryId | None:
    successor = fields.identifier("successor-id") or fields.identifier("successor")
    return EntryId(successor) if successor else None


async def _remove(asked: ConsoleRequest, each: EntryId) -> None:
    await asked.agent.diary.delete(diary_id(asked), each)


_ACTIONS = {"tag": _tag, "supersede": _supersede, "delete": _remove}


def _url(entry: Entry) -> str:
    return f"{DIARIES}/{entry.diary_id}/entries/{entry.id}"


ROUTES = (
    ConsoleRoute("GET", _ONE, _list),
    ConsoleRoute("POST", _ONE, _bulk, again=_list),
    ConsoleRoute("GET", f"{_ONE}/write", _write),
    ConsoleRoute("POST", f"{_ONE}/write", _create, again=_write),
    ConsoleRoute("GET", _ENTRY, _get),
    ConsoleRoute("GET", f"{_ENTRY}/edit", _edit),
    ConsoleRoute("POST", f"{_ENTRY}/edit", _update, again=_edit),
    ConsoleRoute("GET", f"{_ENTRY}/delete", _delete_page),
)
