"""Data of earlier releases are opened: each backup in `tests/data/releases` is restored, migrated and served."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import run
from tests.support.live_server import LiveServer, all_contents, asked, serving
from tests.support.release_data import DATA, MEMORIES, PASSPHRASE

pytestmark = pytest.mark.real

RELEASES = sorted(DATA.glob("*.backup"))


def test_there_are_data_of_earlier_releases() -> None:
    assert RELEASES


@pytest.mark.parametrize("file", RELEASES, ids=lambda file: file.stem)
async def test_what_an_earlier_release_stored_is_served(file: Path, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    data = tmp_path / "data"
    options = ("--passphrase-file", str(tmp_path / "passphrase"))
    restored = await run("restore", str(file), "--data", str(data), *options)
    assert restored.status == 0, restored.err
    expected = json.loads(file.with_suffix(".json").read_text())
    owner, reader = expected["agents"]
    async with serving(data) as server:
        await _owner_has_everything(server, owner, expected)
        await _reader_may_read_only(server, reader, expected)
        async with server.session() as anybody:
            _, feed = await asked(anybody, "GET", "/public/feed")
            assert [each["content"] for each in feed["items"]] == ["Herons nest early this year."]


async def _owner_has_everything(server: LiveServer, owner: dict[str, str], expected: dict[str, Any]) -> None:
    async with server.session(await _token(server, owner)) as session:
        contents = await all_contents(session, expected["diary"])
        assert sorted(contents) == sorted(content for content, _ in MEMORIES)
        query = {"query": "why did the deployment go wrong?", "diaryId": expected["diary"]}
        _, found = await asked(session, "POST", "/diaries/search", json=query)
        assert found["results"][0]["content"] == MEMORIES[0][0]
        _, requests = await asked(session, "GET", "/crypto/signing-requests")
        assert [each["message"] for each in requests["items"]] == ["pay 3 herons"]
        status, _ = await asked(session, "POST", f"/diaries/{expected['diary']}/entries", json={"content": "new"})
        assert status == 201


async def _reader_may_read_only(server: LiveServer, reader: dict[str, str], expected: dict[str, Any]) -> None:
    async with server.session(await _token(server, reader)) as session:
        entries = f"/diaries/{expected['diary']}/entries"
        assert (await asked(session, "GET", entries))[1]["total"] == len(MEMORIES) + 1
        assert (await asked(session, "POST", entries, json={"content": "may not"}))[0] == 403


async def _token(server: LiveServer, agent: dict[str, str]) -> str:
    form = {"grant_type": "client_credentials"}
    form |= {"client_id": agent["clientId"], "client_secret": agent["clientSecret"]}
    async with server.session() as anybody:
        status, answer = await asked(anybody, "POST", "/oauth2/token", data=form)
    assert status == 200, answer
    return str(answer["access_token"])
