"""A backup in the middle of writers, restored elsewhere: what was acknowledged before its moment is there."""

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest

from moltnet.adapters.nacl import NaclKeyPair
from tests.support.commands import SECRETS, run, url_of
from tests.support.live_server import LiveServer, all_contents, asked, first_diary, genesis, serving
from tests.support.postgres import an_empty_database, rows

pytestmark = pytest.mark.real

WRITERS, BEFORE_THE_BACKUP = 8, 40
PASSPHRASE = "correct horse battery staple"
REMEMBERED = "The deploy failed because the callback URL pointed at staging."


@attrs.define
class Writers:
    """Writers of entries, and when each entry was acknowledged."""

    acknowledged: dict[str, datetime] = attrs.field(factory=dict)
    enough: asyncio.Event = attrs.field(factory=asyncio.Event)

    @asynccontextmanager
    async def writing(self, server: LiveServer, token: str, diary: str) -> AsyncIterator[None]:
        """They write for the length of the block, which begins when they have written enough."""
        tasks = [
            asyncio.create_task(self._write(server, token, f"/diaries/{diary}/entries", name))
            for name in range(WRITERS)
        ]
        await self.enough.wait()
        yield
        for task in tasks:
            task.cancel()
        assert all(
            isinstance(outcome, asyncio.CancelledError)
            for outcome in await asyncio.gather(*tasks, return_exceptions=True)
        )

    async def _write(self, server: LiveServer, token: str, entries: str, name: int) -> None:
        async with server.session(token) as session:
            for count in range(10_000):
                content = f"writer {name}, entry {count}"
                status, answer = await asked(session, "POST", entries, json={"content": content})
                assert status == 201, answer
                self.acknowledged[content] = datetime.now(UTC)
                if len(self.acknowledged) >= BEFORE_THE_BACKUP:
                    self.enough.set()


async def test_backup_in_the_middle_of_eight_writers_is_restored_elsewhere(tmp_path: Path) -> None:
    here, there, file, passphrase = (tmp_path / name for name in ("here", "there", "network.backup", "passphrase"))
    passphrase.write_text(PASSPHRASE)
    options = ("--passphrase-file", str(passphrase))
    owner, reader = await genesis(here, 2)
    writers = Writers()
    async with serving(here) as server, server.session(owner["accessToken"]) as session:
        private = await first_diary(session)
        shared = await _shared_diary(server, session, reader)
        _, signing = await asked(session, "POST", "/crypto/signing-requests", json={"message": "pay 3 herons"})
        async with writers.writing(server, owner["accessToken"], private):
            before = len(writers.acknowledged)
            backup = await run("backup", str(file), "--data", str(here), *options)
        assert (backup.status, backup.out) == (0, "")
        assert len(writers.acknowledged) > before
    assert (await run("backup", "--verify", str(file), *options)).status == 0
    moment = datetime.fromisoformat(re.findall(r"acknowledged before (\S+?)\.\n", backup.err)[0])
    assert (await run("restore", str(file), "--data", str(there), *options)).status == 0
    due = {content for content, at in writers.acknowledged.items() if at < moment}
    async with serving(there) as server, server.session(owner["accessToken"]) as session:
        stored = Counter(await all_contents(session, private))
        assert len(due) >= BEFORE_THE_BACKUP
        assert due <= set(stored)
        assert set(stored.values()) == {1}
        await _rights_and_search_work(server, private, shared, reader)
        await _pending_signature_works(session, owner, signing)
    refused = await run("restore", str(file), "--data", str(there), *options)
    assert "an empty one only" in refused.refusal


async def _shared_diary(server: LiveServer, session: aiohttp.ClientSession, reader: dict[str, str]) -> str:
    """A diary of the owner's with an entry, which the reader may read."""
    _, diary = await asked(session, "POST", "/diaries", json={"name": "Deployments"})
    shared = str(diary["id"])
    await asked(session, "POST", f"/diaries/{shared}/entries", json={"content": REMEMBERED})
    invitation = {"fingerprint": reader["fingerprint"]}
    _, share = await asked(session, "POST", f"/diaries/{shared}/share", json=invitation)
    async with server.session(reader["accessToken"]) as another:
        assert (await asked(another, "POST", f"/diaries/invitations/{share['id']}/accept"))[0] == 200
    return shared


async def _rights_and_search_work(server: LiveServer, private: str, shared: str, reader: dict[str, str]) -> None:
    async with server.session(reader["accessToken"]) as another:
        query = {"query": "why did the deployment go wrong?"}
        _, found = await asked(another, "POST", "/diaries/search", json={**query, "diaryId": shared})
        assert [each["content"] for each in found["results"]] == [REMEMBERED]
        entries = f"/diaries/{shared}/entries"
        assert (await asked(another, "POST", entries, json={"content": "may not"}))[0] in {403, 404}
        assert (await asked(another, "GET", f"/diaries/{private}"))[0] == 404
    form = {"grant_type": "client_credentials"}
    form |= {"client_id": reader["clientId"], "client_secret": reader["clientSecret"]}
    async with server.session() as anybody:
        assert (await asked(anybody, "POST", "/oauth2/token", data=form))[0] == 200


async def _pending_signature_works(
    session: aiohttp.ClientSession, owner: dict[str, str], signing: dict[str, Any]
) -> None:
    path = f"/crypto/signing-requests/{signing['id']}"
    assert (await asked(session, "GET", path))[1]["status"] == "pending"
    keys = NaclKeyPair(base64.b64decode(owner["privateKey"]))
    signature = keys.sign(base64.b64decode(signing["signingInput"]))
    status, signed = await asked(session, "POST", f"{path}/sign", json={"signature": signature})
    assert (status, signed["status"], signed["valid"]) == (200, "completed", True), signed


async def test_database_of_ones_own_is_backed_up_and_restored_without_secrets(tmp_path: Path) -> None:
    file, data = str(tmp_path / "backup"), str(tmp_path / "data")
    async with an_empty_database() as source, an_empty_database() as target:
        environment = {"DATABASE_URL": url_of(source), **SECRETS}
        assert "nothing to back up" in (await run("backup", file, **environment)).refusal
        founded = await run("genesis", "--data", data, **environment)
        written = await run("backup", file, **environment)
        assert written.status == 0
        assert "keep RECOVERY_CHALLENGE_SECRET elsewhere" in written.err
        assert "exists" in (await run("backup", file, **environment)).refusal
        other = environment | {"DATABASE_URL": url_of(target), "RECOVERY_CHALLENGE_SECRET": "o" * 32}
        assert "without the secrets" in (await run("restore", file, *_passphrase(tmp_path), **other)).refusal
        restored = await run("restore", file, **other)
        assert restored.status == 0
        assert "moltnet keys rotate --now" in restored.err
        assert await rows(target, "select identity_id::text from agent_keys") == [(founded.printed[0]["identityId"],)]
        assert "an empty one only" in (await run("restore", file, **other)).refusal


async def test_file_that_was_changed_or_cannot_be_decrypted_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    data, file = tmp_path / "data", tmp_path / "backup"
    await genesis(data)
    options = _passphrase(tmp_path)
    assert (await run("backup", str(file), "--data", str(data), *options)).status == 0
    (tmp_path / "passphrase").write_text("another passphrase")
    empty = tmp_path / "empty"
    wrong = await run("restore", str(file), "--data", str(empty), *options)
    assert "cannot be decrypted" in wrong.refusal
    (tmp_path / "passphrase").write_text("short")
    assert "at least 12 bytes" in (await run("backup", "--verify", str(file), *options)).refusal
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    for command in (["backup", "--verify", str(file)], ["restore", str(file), "--data", str(empty)]):
        assert "its checksum is wrong" in (await run(*command)).refusal
    assert not (empty / "postgres").exists()


def _passphrase(folder: Path) -> tuple[str, str]:
    (folder / "passphrase").write_text(PASSPHRASE)
    return "--passphrase-file", str(folder / "passphrase")


def test_manifest_of_a_later_version_is_one_sentence(tmp_path: Path) -> None:
    from moltnet.adapters.files import archive  # noqa: PLC0415

    file = tmp_path / "backup"
    with archive.written(file) as writer:
        writer.add("manifest.json", json.dumps({"format": 2, "more": 1}).encode())
    ended = asyncio.run(run("backup", "--verify", str(file)))
    assert "of a later version" in ended.refusal
