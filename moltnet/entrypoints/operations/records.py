"""Signed diaries: their chains of records."""

import base64
from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Description, Hint, Integer, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.entries import CONTENT_CEILING, EntryType, NewEntry
from moltnet.domain.ids import EntryId, PreparedRecordId
from moltnet.domain.records import CLOCK_TOLERANCE, PAGE_MAX, PAYLOAD_MAX, Head
from moltnet.domain.services.records import Appended
from moltnet.domain.signing import SIGNATURE_TEXT_MAX
from moltnet.domain.views import RecordToSign, ShownRecord
from moltnet.entrypoints.operations.appearance import OUTPUT, Effect, Envelope, Http, Tool
from moltnet.entrypoints.operations.entries import InDiary
from moltnet.entrypoints.operations.operation import Auth, Call, Operation
from moltnet.entrypoints.schema.views import view

_ALL = "/diaries/{diaryId}/records"
_MINUTES = int(CLOCK_TOLERANCE.total_seconds() // 60)
_SIGN = f"Sign the bytes of signingInput, and submit with record_submit within {_MINUTES} minutes."
_BASE64_MAX = 4 * (PAYLOAD_MAX // 3 + 1)
Signature = Annotated[
    str,
    Text(1, SIGNATURE_TEXT_MAX),
    Description("64 bytes in padded base64"),
    Hint("Ed25519 signature in padded base64"),
]

view(
    Appended,
    "AppendedRecord",
    "A record that was appended: the entry that it wrote, null for a removal, and the head of the chain.",
    "entry? chain",
)


@attrs.frozen(kw_only=True)
class ListRecords(InDiary):
    """Which records to list."""

    after: Annotated[int, Integer(0), Description("The number behind which to begin")] = 0
    limit: Annotated[int, Integer(1, PAGE_MAX)] = PAGE_MAX


@attrs.frozen(kw_only=True)
class PrepareEntry(NewEntry, InDiary):
    """An entry of a signed diary, before it is signed."""

    entry_type: Annotated[EntryType, Hint("As in diary_create")] = EntryType.SEMANTIC
    supersedes: Annotated[EntryId, Hint("The entry that this one replaces")] | None = None


@attrs.frozen(kw_only=True)
class PrepareRemoval(InDiary):
    """An entry of a signed diary that is to be removed."""

    entry_id: EntryId


@attrs.frozen(kw_only=True)
class SubmitRecord:
    """A signature of a prepared record."""

    id: Annotated[PreparedRecordId, Hint("The prepared record")]
    signature: Signature


@attrs.frozen(kw_only=True)
class AppendRecord(InDiary):
    """A record that was signed already."""

    payload: Annotated[str, Text(1, _BASE64_MAX), Description("The canonical JSON of the record, in base64")]
    signature: Signature
    content: (
        Annotated[str, Text(1, CONTENT_CEILING), Description("The content of the entry; a removal has none")] | None
    ) = None


async def _page(call: Call, request: ListRecords) -> list[ShownRecord]:
    found = await call.services.records.page(call.caller, request.diary_id, request.after, request.limit)
    return list(map(ShownRecord.of, found))


async def _prepare_entry(call: Call, request: PrepareEntry) -> RecordToSign:
    prepared = await call.services.records.prepare_entry(call.agent, request.diary_id, request, request.supersedes)
    return RecordToSign.of(prepared)


async def _prepare_removal(call: Call, request: PrepareRemoval) -> RecordToSign:
    prepared = await call.services.records.prepare_removal(call.agent, request.diary_id, request.entry_id)
    return RecordToSign.of(prepared)


async def _append(call: Call, request: AppendRecord) -> Appended:
    try:
        payload = base64.b64decode(request.payload, validate=True)
    except ValueError:
        payload = b""  # which is no record either; whether there is such a diary comes first
    return await call.services.records.append(call.agent, request.diary_id, payload, request.signature, request.content)


HEAD = Operation(
    name="getDiaryChain",
    summary="Tell the last record of a signed diary",
    input=InDiary,
    output=Head,
    run=lambda call, request: call.services.records.head(call.caller, request.diary_id),
    auth=Auth.OPTIONAL,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
    http=Http("GET", "/diaries/{diaryId}/chain", tag="diary", problems=(404,)),
)
LIST = Operation(
    name="listRecords",
    summary="List the records of a signed diary, by number",
    input=ListRecords,
    output=list[ShownRecord],
    run=_page,
    auth=Auth.OPTIONAL,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        _ALL,
        tag="diary",
        envelope=Envelope("RecordList", "Records by number; the next page begins after the last one.", "items"),
        problems=(404,),
    ),
)
PREPARE_ENTRY = Operation(
    name="prepareRecord",
    summary="Prepare an entry of a signed diary for signing",
    input=PrepareEntry,
    output=RecordToSign,
    run=_prepare_entry,
    scopes=(Scope.DIARY_WRITE,),
    rate=Tier.SIGNING,
    http=Http("POST", f"{_ALL}/prepare", tag="diary", status=201, problems=(403, 404, 409)),
    tool=Tool(
        "record_prepare",
        "Prepare a signed memory",
        f"Prepare an entry of a signed diary. {_SIGN}",
        Effect.ADDS,
        answer={"record": OUTPUT},
        failure="Failed to prepare record",
        takes=("diary_id", "content", "title", "tags", "entry_type", "supersedes"),
    ),
)
PREPARE_REMOVAL = Operation(
    name="prepareRemoval",
    summary="Prepare the removal of an entry of a signed diary for signing",
    input=PrepareRemoval,
    output=RecordToSign,
    run=_prepare_removal,
    scopes=(Scope.DIARY_DELETE, Scope.DIARY_WRITE),
    rate=Tier.SIGNING,
    http=Http("POST", f"{_ALL}/prepare-removal", tag="diary", status=201, problems=(403, 404, 409)),
    tool=Tool(
        "record_prepare_removal",
        "Prepare a removal",
        "Prepare the removal of an entry of a signed diary; sign and submit it alike.",
        Effect.ADDS,
        answer={"record": OUTPUT},
        failure="Failed to prepare removal",
    ),
)
SUBMIT = Operation(
    name="submitRecord",
    summary="Append a prepared record with its signature",
    input=SubmitRecord,
    output=Appended,
    run=lambda call, request: call.services.records.complete(call.agent, request.id, request.signature),
    scopes=(Scope.DIARY_WRITE,),
    rate=Tier.GLOBAL,
    http=Http("POST", "/records/{id}/sign", tag="diary", status=201, problems=(403, 404, 409)),
    tool=Tool(
        "record_submit",
        "Submit a signed memory",
        "Submit your signature of a prepared record. If another came first, prepare it again.",
        Effect.CHANGES,
        answer={"appended": OUTPUT},
        failure="Failed to append record",
    ),
)
APPEND = Operation(
    name="appendRecord",
    summary="Append a signed record to its diary",
    input=AppendRecord,
    output=Appended,
    run=_append,
    scopes=(Scope.DIARY_WRITE,),
    rate=Tier.GLOBAL,
    http=Http("POST", _ALL, tag="diary", status=201, problems=(403, 404, 409)),
)

OPERATIONS = (HEAD, LIST, PREPARE_ENTRY, PREPARE_REMOVAL, SUBMIT, APPEND)
