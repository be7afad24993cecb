"""Many newcomers and many signatures at once, by clients that ask again until they have their answer."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import aiohttp
import attrs

from moltnet.adapters.memory.storage import MemoryFeedEvents
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.services.models import Models
from moltnet.domain.vouching import MAX_OPEN_VOUCHERS
from moltnet.entrypoints.container.networks import Infrastructure
from tests.integration.durability.flows import wrong_in
from tests.support.live_server import asked
from tests.support.networks import services_on
from tests.support.postgres import execute, rows
from tests.support.stage import Player, a_player

AGAIN_AFTER_S = 0.2
ENDS_WITHIN_S = 90.0
SETTLED_WITHIN_S = 10.0

# Every effect of a step, as the database sees it: what a table gets, and what becomes of a request or a voucher. What a
# registration had made and then took back, its identity last, counts for nothing.
AUDIT = """
    create table audit (effect text not null, subject text not null);
    create function audit() returns trigger language plpgsql as $$ begin
        insert into audit values (tg_argv[0], to_jsonb(new) ->> tg_argv[1]);
        return null;
    end $$;
    create function forget() returns trigger language plpgsql as $$ begin
        delete from audit where subject = old.identity_id::text;
        return null;
    end $$;
    create trigger forget after delete on identities for each row execute function forget();
    create trigger audit after insert on identities for each row execute function audit('identity', 'identity_id');
    create trigger audit after insert on agent_keys for each row execute function audit('agent', 'identity_id');
    create trigger audit after insert on oauth_clients for each row execute function audit('client', 'agent_id');
    create trigger audit after insert on diaries for each row execute function audit('diary', 'owner_id');
    create trigger audit after insert on signing_requests for each row execute function audit('request', 'message');
    create trigger settled after update on signing_requests for each row when (old.status <> new.status)
        execute function audit('settled', 'message');
    create trigger redeemed after update on agent_vouchers for each row
        when (new.redeemed_by is not null and old.redeemed_by is distinct from new.redeemed_by)
        execute function audit('redeemed', 'redeemed_by');
"""
TWICE = "select effect, subject, count(*) from audit group by effect, subject having count(*) > 1"


@attrs.frozen
class Crowd:
    """Members who vouch, and who sign; `url` answers where a server is to be asked."""

    members: Sequence[Player]
    codes: Sequence[str]
    url: Callable[[], str]

    async def register(self, number: int) -> str:
        """A newcomer's id, once it is in and its credentials are good."""
        keys = NaclKeyPair.generate()
        body = {"public_key": keys.public_key.text, "voucher_code": self.codes[number]}
        while True:
            # The key shows that a repetition is the first caller's.
            key = {"Idempotency-Key": f"registration-of-newcomer-{number}"}
            status, answer = await self._ask("POST", "/auth/register", json=body, headers=key)
            if status == 200 and await self._is_let_in(answer["clientId"], answer["clientSecret"]):
                return str(answer["identityId"])
            assert status in {0, 200, 502}, answer
            await asyncio.sleep(AGAIN_AFTER_S)

    async def sign(self, number: int) -> str:
        """What was signed, once it is known to be valid."""
        member = self.members[number % len(self.members)]
        request = await self._prepared(member, f"message {number}")
        path = f"/crypto/signing-requests/{request['id']}"
        signature = member.keys.sign(base64.b64decode(request["signingInput"]))
        while True:
            status, answer = await self._ask("POST", f"{path}/sign", member, json={"signature": signature})
            if status == 409:
                status, answer = await self._ask("GET", path, member)
            if status == 200 and answer["status"] == "completed":
                assert answer["valid"] is True, answer
                return str(answer["message"])
            assert status in {0, 200, 409, 502}, answer
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _prepared(self, member: Player, message: str) -> dict[str, str]:
        key = {"Idempotency-Key": str(uuid4())}
        while True:
            status, answer = await self._ask(
                "POST", "/crypto/signing-requests", member, json={"message": message}, headers=key
            )
            if status == 201:
                prepared: dict[str, str] = answer
                return prepared
            assert status in {0, 502}, answer
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _is_let_in(self, client_id: str, secret: str) -> bool:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        while True:
            status, _ = await self._ask("POST", "/oauth2/token", data=form)
            if status in {200, 401}:
                return status == 200
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _ask(self, method: str, path: str, member: Player | None = None, **options: Any) -> tuple[int, Any]:
        """An answer; 0 for none, because the server is gone."""
        headers = {"Authorization": f"Bearer {member.token}"} if member else {}
        try:
            async with aiohttp.ClientSession(self.url(), headers=headers) as session:
                return await asked(session, method, path, **options)
        except aiohttp.ClientError:
            return 0, None


async def a_crowd(database: str, registrations: int, url: Callable[[], str]) -> Crowd:
    """Enough members for so many vouchers, in a migrated database whose effects are counted from now on."""
    async with PostgresStorage.open(database, max_connections=4) as storage:
        infrastructure = Infrastructure(storage=storage, events=MemoryFeedEvents(), models=Models(None))
        async with services_on(infrastructure) as services:
            members = [await a_player(services) for _ in range(-(-registrations // MAX_OPEN_VOUCHERS))]
            codes = [
                (await services.vouching.issue(member.caller)).code
                for member in members
                for _ in range(MAX_OPEN_VOUCHERS)
            ]
    await execute(database, AUDIT)
    return Crowd(members, codes, url)


async def settled(database: str, registered: Sequence[str], signed: Sequence[str]) -> list[object]:
    """What is wrong once nothing is under way any more, or when that took too long."""
    deadline = asyncio.get_running_loop().time() + SETTLED_WITHIN_S
    while True:
        found = await _doubled_or_lost(database, registered, signed)
        if not found or asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(AGAIN_AFTER_S)


async def _doubled_or_lost(database: str, registered: Sequence[str], signed: Sequence[str]) -> list[object]:
    """What is not there exactly once, and what must never be."""
    found: list[object] = [*await rows(database, TWICE), *await wrong_in(database)]
    for effect, subjects in (
        *((effect, registered) for effect in ("identity", "agent", "client", "diary", "redeemed")),
        *((effect, signed) for effect in ("request", "settled")),
    ):
        told = {
            subject for (subject,) in await rows(database, "select subject from audit where effect = %(e)s", e=effect)
        }
        found += [(effect, "lost", subject) for subject in set(subjects) - told]
        found += [(effect, "nobody asked for", subject) for subject in told - set(subjects)]
    return found
