"""What an agent does over REST, what became of it by the database, and what it does when it got no answer."""

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import attrs

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import AgentId, EntryId
from moltnet.domain.key_changes import KeyStatement, statement_bytes
from moltnet.domain.lost_keys import LostKeyStatement
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import EntryRecord, Head, RemovalRecord, record_hash, signed_bytes
from moltnet.domain.views import ShownRecord
from moltnet.entrypoints.library.http import structured
from moltnet.entrypoints.library.records import verify_records
from moltnet.ports.keys import KeyPair
from tests.support.live_server import asked
from tests.support.postgres import execute, rows
from tests.support.stage import CrashStage, Player

# Each finds what must never be once all is settled.
NEVER = {
    "an identity without its agent": """
        select from identities i left join agent_keys a using (identity_id) where a.identity_id is null""",
    "an agent without its identity": """
        select from agent_keys a left join identities i using (identity_id) where i.identity_id is null""",
    "a client without its agent": """
        select from oauth_clients c left join agent_keys a on a.identity_id = c.agent_id where a.identity_id is null""",
    "an agent without its one client": """
        select from agent_keys a where (select count(*) from oauth_clients c where c.agent_id = a.identity_id) <> 1""",
    "an agent without its first diary": """
        select from agent_keys a where (
            select count(*) from diaries d where d.owner_id = a.identity_id and d.name = 'Private') <> 1""",
    "a redeemed voucher without its agent": """
        select from agent_vouchers v left join agent_keys a on a.identity_id = v.redeemed_by
        where v.redeemed_at is not null and a.identity_id is null""",
    "a relation without its share": """
        select from relation_tuples r where relation <> 'owner' and not exists (
            select from diary_shares s
            where s.diary_id = r.object and s.shared_with = r.subject and s.status = 'accepted')""",
    "a share without its relation": """
        select from diary_shares s where status = 'accepted' and not exists (
            select from relation_tuples r
            where s.diary_id = r.object and s.shared_with = r.subject and r.relation <> 'owner')""",
    "a diary without its owner's relation": """
        select from diaries d where not exists (
            select from relation_tuples r where r.object = d.id and r.subject = d.owner_id and r.relation = 'owner')""",
    "an agent whose key is not the last of its history": """
        select from agent_keys a where (
            select count(*) from agent_key_history h
            where h.agent_id = a.identity_id and h.until is null and h.public_key_bytes = a.public_key_bytes) <> 1""",
    "a key that waits for the place of one that is none": """
        select from lost_keys l left join agent_keys a on a.public_key_bytes = l.former_key_bytes
        where l.ended_at is null and a.identity_id is null""",
    "a record without its entry": """
        select from diary_records r left join diary_entries e on e.id = r.entry_id
        where r.entry_id is not null and (r.payload is null) <> (e.id is null)""",
    "a change of a key under way": """
        select from dbos.workflow_status where status not in ('SUCCESS', 'ERROR') and name = 'changeKey'""",
    "a request to sign that is pending past its time": """
        select from signing_requests where status = 'pending' and expires_at < now()""",
    "a registration under way": """
        select from dbos.workflow_status where status not in ('SUCCESS', 'ERROR') and name = 'registerAgent'""",
}
# The key that takes the place of Ada's.
NEXT_KEY = NaclKeyPair(bytes(range(32)))
# By this a repetition shows that it is the first caller's.
REGISTRATION_KEY = "registration-of-the-newcomer"
# All requests' time is over: so that nobody waits 300 seconds.
TIME_PASSES = "update signing_requests set expires_at = now() - interval '1 second' where status = 'pending'"


@attrs.frozen
class Play:
    """A flow over REST."""

    stage: CrashStage
    url: str
    known: dict[str, str]

    async def ask(self, method: str, path: str, player: Player | None = None, **options: Any) -> tuple[int, Any]:
        """An answer's status and members; raises aiohttp.ClientError when the server is gone."""
        headers = {"Authorization": f"Bearer {player.token}"} if player else {}
        async with aiohttp.ClientSession(self.url, headers=headers) as session:
            return await asked(session, method, path, **options)

    async def register(self) -> tuple[int, Any]:
        """Joins with the voucher."""
        body = {"public_key": self.stage.newcomer.public_key.text, "voucher_code": self.stage.voucher}
        return await self.ask("POST", "/auth/register", json=body, headers={"Idempotency-Key": REGISTRATION_KEY})

    async def prepare(self) -> None:
        """Asks for something to sign."""
        _, answer = await self.ask("POST", "/crypto/signing-requests", self.stage.ada, json={"message": "I was here"})
        signature = self.stage.ada.keys.sign(base64.b64decode(answer["signingInput"]))
        self.known.update(request=answer["id"], signature=signature)

    async def submit(self) -> tuple[int, Any]:
        """Hands the signature in."""
        path = f"/crypto/signing-requests/{self.known['request']}/sign"
        return await self.ask("POST", path, self.stage.ada, json={"signature": self.known["signature"]})

    async def sign(self) -> None:
        """Prepares and submits."""
        await self.prepare()
        await self.submit()

    async def accept(self) -> tuple[int, Any]:
        """Bob says yes."""
        return await self.ask("POST", f"/diaries/invitations/{self.stage.invitation}/accept", self.stage.bob)

    async def revoke(self) -> tuple[int, Any]:
        """Ada takes Bob's access back."""
        fingerprint = self.stage.bob.keys.public_key.fingerprint
        return await self.ask("DELETE", f"/diaries/{self.stage.shared}/share/{fingerprint}", self.stage.ada)

    async def delete(self) -> tuple[int, Any]:
        """Ada deletes the shared diary."""
        return await self.ask("DELETE", f"/diaries/{self.stage.shared}", self.stage.ada)

    async def rotate(self) -> tuple[int, Any]:
        """Ada gets another secret."""
        return await self.ask("POST", "/auth/rotate-secret", self.stage.ada)

    async def rekey(self) -> tuple[int, Any]:
        """Ada gets another key."""
        _, myself = await self.ask("GET", "/agents/whoami", self.stage.ada)
        statement = KeyStatement(
            network=NetworkAddress.of(self.url).text,
            agent_id=AgentId(UUID(myself["identityId"])),
            former=self.stage.ada.keys.public_key,
            key=NEXT_KEY.public_key,
            created_at=datetime.now(UTC),
        )
        signed = statement_bytes(statement.payload)
        body = {
            "payload": base64.b64encode(statement.payload).decode(),
            "formerSignature": self.stage.ada.keys.sign(signed),
            "signature": NEXT_KEY.sign(signed),
        }
        return await self.ask("POST", "/auth/rotate-key", self.stage.ada, json=body)

    async def append(self) -> tuple[int, Any]:
        """Carl appends a record to his signed diary."""
        first, at = parse_record(self.stage.record), datetime.now(UTC)
        next_entry = EntryRecord.of(
            NewEntry(content="x"),
            diary_id=first.diary_id,
            head=Head(sequence=1, hash=record_hash(self.stage.record)),
            key=first.key,
            entry_id=EntryId(uuid4()),
            supersedes=None,
            salt=bytes(16),
            at=at,
        )
        self.known["append"] = "x"
        return await self._append(next_entry.payload, "x")

    async def erase(self) -> tuple[int, Any]:
        """Carl removes the entry of the first record."""
        first = parse_record(self.stage.record)
        assert isinstance(first, EntryRecord)
        head = Head(sequence=1, hash=record_hash(self.stage.record))
        return await self._append(RemovalRecord.of(first, head=head, key=first.key, at=datetime.now(UTC)).payload, None)

    async def _append(self, payload: bytes, content: str | None) -> tuple[int, Any]:
        """The same record again, where one was sent before."""
        text = self.known.setdefault("record", base64.b64encode(payload).decode())
        signature = self.stage.carl.keys.sign(signed_bytes(base64.b64decode(text)))
        body = {"payload": text, "signature": signature, **({"content": content} if content else {})}
        return await self.ask("POST", f"/diaries/{self.stage.signed}/records", self.stage.carl, json=body)

    async def lose(self) -> tuple[int, Any]:
        """Ada lets another key wait for the place of hers."""
        statement = LostKeyStatement(
            network=NetworkAddress.of(self.url).text,
            former=self.stage.ada.keys.public_key,
            key=NEXT_KEY.public_key,
            created_at=datetime.now(UTC),
        )
        body = {
            "payload": base64.b64encode(statement.payload).decode(),
            "signature": NEXT_KEY.sign(statement.signing_input),
        }
        return await self.ask("POST", "/lost-keys", self.stage.ada, json=body)

    async def replace(self) -> tuple[int, Any]:
        """The key that waited takes the place of Carl's."""
        return await self.recover(self.stage.waited)

    async def recover(self, keys: KeyPair | None = None) -> tuple[int, Any]:
        """Ada proves her key and gets another secret."""
        keys = keys or self.stage.ada.keys
        _, challenge = await self.ask("POST", "/recovery/challenge", json={"publicKey": keys.public_key.text})
        signature = keys.sign(challenge["challenge"].encode())
        proof = {**challenge, "publicKey": keys.public_key.text, "signature": signature}
        _, recovery = await self.ask("POST", "/recovery/verify", json=proof)
        code = {"method": "code", "code": recovery["recoveryCode"]}
        path = recovery["recoveryFlowUrl"].removeprefix(self.url)
        _, session = await self.ask("POST", path, json=code)
        async with aiohttp.ClientSession(self.url, headers={"X-Session-Token": session["session_token"]}) as client:
            return await asked(client, "POST", "/auth/rotate-secret")

    async def is_let_in(self, client_id: str, secret: str) -> bool:
        """Whether credentials are good."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        status, _ = await self.ask("POST", "/oauth2/token", data=form)
        return status == 200


@attrs.frozen(kw_only=True)
class Flow:
    """What is done; how it ended, asked of the database; and how its caller goes on afterwards."""

    run: Callable[[Play], Awaitable[object]]
    ended: str
    goes_on: Callable[[Play], Awaitable[None]]
    fails: str | None = None


async def _registers_again(play: Play) -> None:
    status, answer = await play.register()
    assert status == 200, answer
    assert await play.is_let_in(answer["clientId"], answer["clientSecret"])


async def _signs_again(play: Play) -> None:
    await play.sign()
    status, answer = await play.submit()
    assert (status, answer["code"]) == (409, "SIGNING_REQUEST_ALREADY_COMPLETED")


async def _accepts_again(play: Play) -> None:
    await play.accept()
    assert (await play.ask("GET", f"/diaries/{play.stage.offered}", play.stage.bob))[0] == 200


async def _revokes_again(play: Play) -> None:
    await play.revoke()
    assert (await play.ask("GET", f"/diaries/{play.stage.shared}", play.stage.bob))[0] == 404


async def _deletes_again(play: Play) -> None:
    await play.delete()
    assert (await play.ask("GET", f"/diaries/{play.stage.shared}", play.stage.ada))[0] == 404


async def _recovers_again(play: Play) -> None:
    status, answer = await play.recover()
    assert status == 200
    assert await play.is_let_in(answer["clientId"], answer["clientSecret"])
    assert not await play.is_let_in(play.stage.ada.client_id, play.stage.ada.secret)


async def _goes_on_with_its_key(play: Play) -> None:
    """By its keys, of which one is the agent's: neither is lost, and the other is good for nothing."""
    path = f"/agents/{play.stage.ada.keys.public_key.fingerprint}"
    _, profile = await play.ask("GET", path)
    keys = [play.stage.ada.keys, NEXT_KEY]
    present = next(each for each in keys if each.public_key.text == profile["publicKey"])
    status, answer = await play.recover(present)
    assert status == 200
    assert await play.is_let_in(answer["clientId"], answer["clientSecret"])
    assert not await play.is_let_in(play.stage.ada.client_id, play.stage.ada.secret)
    assert (await play.ask("GET", "/agents/whoami", play.stage.ada))[0] == 401


async def _appends_again(play: Play) -> None:
    """The same record is answered as the first time, and the chain holds."""
    status, answer = await (play.append() if "append" in play.known else play.erase())
    assert (status, answer["chain"]["sequence"]) == (201, 2)
    _, shown = await play.ask("GET", f"/diaries/{play.stage.signed}/records", play.stage.carl)
    records = [structured(each, ShownRecord) for each in shown["items"]]
    assert (len(records), verify_records(records).holds) == (2, True)


async def _loses_again(play: Play) -> None:
    """One key waits, whoever asks again, until the key that is there after all ends it."""
    assert (await play.lose())[0] in {201, 409}
    _, listed = await play.ask("GET", "/lost-keys")
    assert [each["fingerprint"] for each in listed["items"]].count(str(NEXT_KEY.public_key.fingerprint)) == 1
    await _recovers_again(play)
    _, listed = await play.ask("GET", "/lost-keys")
    assert str(NEXT_KEY.public_key.fingerprint) not in [each["fingerprint"] for each in listed["items"]]


async def _takes_the_place(play: Play) -> None:
    carl = play.stage.carl
    status, answer = await play.replace()
    assert status == 200
    assert await play.is_let_in(answer["clientId"], answer["clientSecret"])
    assert not await play.is_let_in(carl.client_id, carl.secret)
    _, history = await play.ask("GET", f"/agents/{carl.keys.public_key.fingerprint}/keys")
    assert [each.get("cause") for each in history["items"]] == [None, "recovery"]


REGISTERED = """
    select case when exists (select from agent_keys where public_key = :newcomer) then 'done' else 'undone' end"""
SIGNED = """
    select case status when 'completed' then case when valid then 'done' else 'wrong' end else status::text end
    from signing_requests union all select 'undone' limit 1"""
ROTATED = """
    select case when generation = :generation then 'undone' else 'done' end from oauth_clients
    where client_id::text = :client"""

APPENDED = """
    select case when exists (select from diary_records where sequence = 2) then 'done' else 'undone' end"""

FLOWS = {
    "register": Flow(run=Play.register, ended=REGISTERED, goes_on=_registers_again),
    # A registration whose last step never succeeds, so that it is undone.
    "undo": Flow(run=Play.register, ended=REGISTERED, goes_on=_registers_again, fails="before clients.put"),
    "prepare": Flow(run=Play.prepare, ended=SIGNED, goes_on=_signs_again),
    "sign": Flow(run=Play.sign, ended=SIGNED, goes_on=_signs_again),
    "accept": Flow(
        run=Play.accept,
        ended="""
            select case status when 'accepted' then 'done' else 'undone' end from diary_shares
            where id = :invitation""",
        goes_on=_accepts_again,
    ),
    "revoke": Flow(
        run=Play.revoke,
        ended="""
            select case status when 'revoked' then 'done' else 'undone' end from diary_shares
            where diary_id = :shared""",
        goes_on=_revokes_again,
    ),
    "delete": Flow(
        run=Play.delete,
        ended="select case when exists (select from diaries where id = :shared) then 'undone' else 'done' end",
        goes_on=_deletes_again,
    ),
    "rekey": Flow(
        run=Play.rekey,
        ended="select case when exists (select from agent_keys where public_key = :next) then 'done' else 'undone' end",
        goes_on=_goes_on_with_its_key,
    ),
    "append": Flow(run=Play.append, ended=APPENDED, goes_on=_appends_again),
    "erase": Flow(run=Play.erase, ended=APPENDED, goes_on=_appends_again),
    "lose": Flow(
        run=Play.lose,
        ended="""
            select case when exists (select from lost_keys where public_key_bytes = :lost)
                then 'done' else 'undone' end""",
        goes_on=_loses_again,
    ),
    "replace": Flow(
        run=Play.replace,
        ended="""
            select case when exists (select from agent_keys where public_key = :waited)
                then 'done' else 'undone' end""",
        goes_on=_takes_the_place,
    ),
    "recover": Flow(run=Play.recover, ended=ROTATED, goes_on=_recovers_again),
    "rotate": Flow(run=Play.rotate, ended=ROTATED, goes_on=_recovers_again),
}


async def wrong_in(database: str) -> list[str]:
    """What is there that must never be."""
    return [what for what, statement in NEVER.items() if await rows(database, f"select 1 from ({statement}) as found")]


async def end_of(flow: Flow, stage: CrashStage, database: str) -> str:
    """How a flow ended: `done`, `undone`, `expired`, or something that is none of these."""
    facts: dict[str, object] = {
        "newcomer": stage.newcomer.public_key.text,
        "invitation": str(stage.invitation),
        "shared": str(stage.shared),
        "client": stage.ada.client_id,
        "next": NEXT_KEY.public_key.text,
        "lost": NEXT_KEY.public_key.raw,
        "waited": stage.waited.public_key.text,
        "generation": 2,  # made, then told
    }
    statement = flow.ended
    for name in facts:
        statement = statement.replace(f":{name}", f"%({name})s")
    ((ended,),) = await rows(database, statement, **facts)
    return str(ended)


async def let_time_pass(database: str) -> None:
    """The time of every pending request is over."""
    await execute(database, TIME_PASSES)
