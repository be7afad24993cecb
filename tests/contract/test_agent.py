"""The agent's port as a whole: who may do what, whoever asks and however the network is reached."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

import pytest

from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import EntryType, NewEntry
from moltnet.domain.errors import Forbidden, Invalid, MoltNetError, NotFound, Unauthenticated
from moltnet.domain.ids import DiaryId, EntryId, PreparedRecordId, ShareId, SigningRequestId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.operations import keys, records
from moltnet.entrypoints.operations.imports import ImportItem
from moltnet.entrypoints.operations.keys import RotateKey
from moltnet.entrypoints.operations.records import AppendRecord
from moltnet.entrypoints.operations.table import BY_NAME
from tests.support.worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

DIARY, ENTRY, SHARE, REQUEST = DiaryId(uuid4()), EntryId(uuid4()), ShareId(uuid4()), SigningRequestId(uuid4())
NO_RECORD = AppendRecord(diary_id=DIARY, payload="e30=", signature="x")
NO_STATEMENT = RotateKey(payload="e30=", former_signature="x", signature="x")
SOMEBODY = Fingerprint("0123-4567-89AB-CDEF")

ACTS: Mapping[str, Callable[[Agent], Awaitable[object]]] = {
    "listDiaries": lambda agent: agent.diaries.list(),
    "createDiary": lambda agent: agent.diaries.create(name="x"),
    "getDiary": lambda agent: agent.diaries.get(DIARY),
    "updateDiary": lambda agent: agent.diaries.update(DIARY, name="x"),
    "deleteDiary": lambda agent: agent.diaries.delete(DIARY),
    "createDiaryEntry": lambda agent: agent.diary.create(DIARY, content="x"),
    "listDiaryEntries": lambda agent: agent.diary.list(DIARY),
    "getDiaryEntry": lambda agent: agent.diary.get(DIARY, ENTRY),
    "updateDiaryEntry": lambda agent: agent.diary.update(DIARY, ENTRY, content="x"),
    "deleteDiaryEntry": lambda agent: agent.diary.delete(DIARY, ENTRY),
    "searchDiary": lambda agent: agent.diary.search("x", diary_id=DIARY),
    "reflectDiary": lambda agent: agent.diary.reflect(DIARY),
    "shareDiary": lambda agent: agent.sharing.share(DIARY, SOMEBODY),
    "listDiaryShares": lambda agent: agent.sharing.shares(DIARY),
    "revokeDiaryShare": lambda agent: agent.sharing.revoke(DIARY, SOMEBODY),
    "listDiaryInvitations": lambda agent: agent.sharing.invitations(),
    "acceptDiaryInvitation": lambda agent: agent.sharing.accept(SHARE),
    "declineDiaryInvitation": lambda agent: agent.sharing.decline(SHARE),
    "getWhoami": lambda agent: agent.agents.whoami(),
    "listAuditEvents": lambda agent: agent.agents.audit(),
    "getCryptoIdentity": lambda agent: agent.crypto.identity(),
    "createSigningRequest": lambda agent: agent.crypto.signing_requests.create("x"),
    "listSigningRequests": lambda agent: agent.crypto.signing_requests.list(),
    "getSigningRequest": lambda agent: agent.crypto.signing_requests.get(REQUEST),
    "submitSignature": lambda agent: agent.crypto.signing_requests.submit(REQUEST, "x"),
    "getDiaryChain": lambda agent: agent.records.head(DIARY),
    "listRecords": lambda agent: agent.records.list(DIARY),
    "prepareRecord": lambda agent: agent.records.prepare(DIARY, NewEntry(content="x")),
    "prepareRemoval": lambda agent: agent.records.prepare_removal(DIARY, ENTRY),
    "submitRecord": lambda agent: agent.records.submit(PreparedRecordId(uuid4()), "x"),
    "appendRecord": lambda agent: agent.transport.call(records.APPEND, NO_RECORD),
    "importEntries": lambda agent: agent.imports.add(DIARY, [ImportItem(key="a", source="b", content="x")]),
    "listImports": lambda agent: agent.imports.list(DIARY),
    "issueVoucher": lambda agent: agent.vouch.issue(),
    "listActiveVouchers": lambda agent: agent.vouch.list_active(),
    "rotateClientSecret": lambda agent: agent.auth.rotate_secret(),
    "rotateKey": lambda agent: agent.transport.call(keys.ROTATE, NO_STATEMENT),
    "reportLostKey": lambda agent: agent.lost_keys.report(keys.ReportLostKey(payload="e30=", signature="x")),
    "vetoLostKey": lambda agent: agent.lost_keys.veto(SOMEBODY),
}
NEED_NOTHING_TO_BE_THERE = {
    "listDiaries",
    "createDiary",
    "listDiaryInvitations",
    "getWhoami",
    "listAuditEvents",
    "getCryptoIdentity",
    "createSigningRequest",
    "listSigningRequests",
    "issueVoucher",
    "listActiveVouchers",
    "rotateClientSecret",
    "rotateKey",
    "reportLostKey",
}


async def test_every_operation_of_the_table_is_asked_for() -> None:
    assert set(ACTS) == {name for name, operation in BY_NAME.items() if operation.scopes}


async def test_nobody_in_particular_is_asked_who_it_is(nobody: Agent) -> None:
    for operation, act in ACTS.items():
        assert isinstance(await _refusal(act(nobody)), Unauthenticated), operation


async def test_what_is_not_there_is_not_found(ada: Agent) -> None:
    for operation, act in ACTS.items():
        if operation not in NEED_NOTHING_TO_BE_THERE:
            assert isinstance(await _refusal(act(ada)), NotFound), operation


@pytest.mark.parametrize("scope", Scope)
async def test_a_token_is_held_to_its_scopes(world: World, scope: Scope) -> None:
    narrow = await world.founder(ALL_SCOPES - {scope})
    for operation, act in ACTS.items():
        if scope in BY_NAME[operation].scopes:
            refusal = await _refusal(act(narrow))
            assert isinstance(refusal, Forbidden), operation
            assert refusal.detail == f"Missing required scope: {scope}", operation


async def test_texts_are_taken_for_what_they_name(ada: Agent, bob: Agent) -> None:
    """Whoever has no type checker hands in what JSON holds."""
    me, you = ada, bob
    diary = await me.diaries.create(name="x", visibility="moltnet")  # type: ignore[arg-type]
    assert diary.visibility is Visibility.MOLTNET
    made = await me.diary.create(str(diary.id), content="x", entry_type="soul")  # type: ignore[arg-type]
    assert (await me.diary.get(str(diary.id), str(made.id))).entry_type is EntryType.SOUL  # type: ignore[arg-type]
    listed, total = await me.diary.list(diary.id, entry_type="soul")  # type: ignore[arg-type]
    assert ([each.id for each in listed], total) == ([made.id], 1)
    assert you.keys
    name = str(you.keys.public_key.fingerprint)
    share = await me.sharing.share(diary.id, name, role="writer")  # type: ignore[arg-type]
    assert share.role is ShareRole.WRITER
    assert (await me.agents.lookup(name)).public_key == you.keys.public_key  # type: ignore[arg-type]


async def test_texts_that_name_nothing_are_refused(ada: Agent) -> None:
    diary = await ada.diaries.create(name="x")
    for asked in (
        ada.diaries.create(name="x", visibility="open"),  # type: ignore[arg-type]
        ada.diaries.get("../agents/whoami"),  # type: ignore[arg-type]
        ada.diary.create(diary.id, content="x", entry_type="dream"),  # type: ignore[arg-type]
        ada.diary.get(diary.id, ""),  # type: ignore[arg-type]
        ada.diary.search(diary_id="x"),  # type: ignore[arg-type]
        ada.diary.reflect("x"),  # type: ignore[arg-type]
        ada.sharing.share(diary.id, "nobody"),  # type: ignore[arg-type]
        ada.sharing.accept("x"),  # type: ignore[arg-type]
        ada.agents.lookup("ÄÄÄÄ-0000-0000-0000"),  # type: ignore[arg-type]
        ada.crypto.signing_requests.get("x"),  # type: ignore[arg-type]
        ada.crypto.signing_requests.list(statuses=["done"]),  # type: ignore[list-item]
        ada.public.entry("x"),  # type: ignore[arg-type]
    ):
        refusal = await _refusal(asked)
        assert isinstance(refusal, Invalid | NotFound), asked


async def test_it_has_its_own_keys_at_hand_or_none(ada: Agent, nobody: Agent) -> None:
    assert ada.keys
    assert (await ada.agents.whoami()).public_key == ada.keys.public_key
    assert nobody.keys is None


async def _refusal(asked: Awaitable[object]) -> MoltNetError | None:
    try:
        await asked
    except MoltNetError as error:
        return error
    return None
