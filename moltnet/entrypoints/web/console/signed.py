"""Entries of signed diaries: records are prepared here, and signed by the page, which has the key for as long."""

from uuid import UUID

from aiohttp import web

from moltnet.domain.ids import EntryId, PreparedRecordId
from moltnet.domain.views import RecordToSign
from moltnet.entrypoints.web.console.diaries import DIARIES, diary_id
from moltnet.entrypoints.web.console.endpoint import ConsoleRequest, ConsoleRoute
from moltnet.entrypoints.web.console.entries import new_entry
from moltnet.entrypoints.web.console.fields import Fields, MalformedField

_RECORDS = DIARIES + "/{diary}/records"


async def _prepare(asked: ConsoleRequest) -> web.Response:
    replaces = asked.fields.identifier("replaces")
    supersedes = EntryId(replaces) if replaces else None
    return _to_sign(await asked.agent.records.prepare(diary_id(asked), new_entry(asked.fields), supersedes=supersedes))


async def _prepare_removal(asked: ConsoleRequest) -> web.Response:
    entry = EntryId(_named(asked.fields, "entry"))
    return _to_sign(await asked.agent.records.prepare_removal(diary_id(asked), entry))


def _named(fields: Fields, name: str) -> UUID:
    found = fields.identifier(name)
    if found is None:
        raise MalformedField(f"{name}: an id")
    return found


def _to_sign(record: RecordToSign) -> web.Response:
    return web.json_response({"id": str(record.id), "payload": record.payload, "signingInput": record.signing_input})


async def _submit(asked: ConsoleRequest) -> web.Response:
    prepared = PreparedRecordId(_named(asked.fields, "record"))
    appended = await asked.agent.records.submit(prepared, asked.fields.text("signature"))
    here = f"{DIARIES}/{diary_id(asked)}"
    written = appended.entry and f"{here}/entries/{appended.entry.id}?done=written"
    return web.json_response({"location": written or f"{here}?done=deleted"})


ROUTES = (
    ConsoleRoute("POST", f"{_RECORDS}/prepare", _prepare),
    ConsoleRoute("POST", f"{_RECORDS}/prepare-removal", _prepare_removal),
    ConsoleRoute("POST", f"{_RECORDS}/submit", _submit),
)
