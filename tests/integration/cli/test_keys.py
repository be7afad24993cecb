"""`moltnet keys`: signing keys and the secret that seals them are replaced, and what runs meanwhile goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.commands import SECRETS, run, url_of
from tests.support.live_server import LiveServer, asked, genesis, serving
from tests.support.postgres import an_empty_database

pytestmark = pytest.mark.real

WITHIN_S = 60.0
SECRET_FILE = "recovery_challenge_secret"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose database runs all the time."""
    folder = tmp_path / "data"
    with EmbeddedPostgres(folder):
        yield folder


async def answers(server: LiveServer, path: str, token: str | None = None) -> tuple[int, Any]:
    async with server.session(token) as session:
        return await asked(session, "GET", path)


async def kids(server: LiveServer) -> list[str]:
    _, told = await answers(server, "/.well-known/jwks.json")
    return [key["kid"] for key in told["keys"]]


async def fresh_token(server: LiveServer, agent: dict[str, str]) -> str:
    form = {"grant_type": "client_credentials"}
    form |= {"client_id": agent["clientId"], "client_secret": agent["clientSecret"]}
    async with server.session() as session:
        status, told = await asked(session, "POST", "/oauth2/token", data=form)
    assert status == 200, told
    return str(told["access_token"])


async def becomes(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits until something holds; a minute is no promise, only a guard."""
    async with asyncio.timeout(WITHIN_S):
        while not await holds():  # noqa: ASYNC110  # another process does it, and tells nobody
            await asyncio.sleep(0.1)


async def test_servers_that_run_follow_a_rotation_and_refuse_a_leaked_key(data: Path) -> None:
    (founder,) = await genesis(data)
    async with serving(data) as one, serving(data) as two:
        (old,) = await kids(one)
        token = await fresh_token(one, founder)
        assert [(await answers(each, "/agents/whoami", token))[0] for each in (one, two)] == [200, 200]
        rotated = await run("keys", "rotate", "--data", str(data))
        assert (rotated.status, rotated.out) == (0, "")
        for server in (one, two):
            await becomes(partial(_shows_both, server, old))
            assert (await answers(server, "/agents/whoami", token))[0] == 200
        replaced = await run("keys", "rotate", "--now", "--data", str(data))
        assert replaced.status == 0
        for server in (one, two):
            await becomes(partial(_refuses, server, token))
            (newest,) = await kids(server)
            assert newest in replaced.err
            assert (await answers(server, "/agents/whoami", await fresh_token(server, founder)))[0] == 200


async def _shows_both(server: LiveServer, old: str) -> bool:
    told = await kids(server)
    return len(told) == 2 and told[1] == old


async def _refuses(server: LiveServer, token: str) -> bool:
    return (await answers(server, "/agents/whoami", token))[0] == 401


async def test_secret_that_was_replaced_challenges_nobody_and_tokens_stay_good(data: Path) -> None:
    (founder,) = await genesis(data)
    keys = NaclKeyPair.generate().public_key.text
    before = (data / SECRET_FILE).read_text()
    async with serving(data) as server, server.session() as session:
        token = await fresh_token(server, founder)
        _, challenge = await asked(session, "POST", "/recovery/challenge", json={"publicKey": keys})
        replaced = await run("keys", "replace-secret", "--data", str(data))
        assert (replaced.status, replaced.out) == (0, "")
        assert str(data / SECRET_FILE) in replaced.err
        assert (await answers(server, "/agents/whoami", token))[0] == 200  # it runs on
    after = (data / SECRET_FILE).read_text()
    assert len(after) >= 64
    assert before.strip() != after.strip()
    assert (data / SECRET_FILE).stat().st_mode & 0o777 == 0o600
    async with serving(data) as server, server.session() as session:
        proof = {**challenge, "publicKey": keys, "signature": "A" * 88}
        refused = await asked(session, "POST", "/recovery/verify", json=proof)
        assert (refused[0], refused[1]["detail"]) == (400, "Invalid HMAC")
        assert (await answers(server, "/agents/whoami", await fresh_token(server, founder)))[0] == 200


async def test_replacing_that_was_interrupted_is_finished_by_repeating_it(data: Path) -> None:
    await genesis(data)
    before = (data / SECRET_FILE).read_text()
    assert (await run("keys", "replace-secret", "--data", str(data))).status == 0
    # As if it had been killed between sealing the keys and putting the new secret in its place.
    (data / SECRET_FILE).rename(data / f"{SECRET_FILE}.next")
    (data / SECRET_FILE).write_text(before)
    assert "moltnet keys replace-secret" in (await run("genesis", "--data", str(data))).err
    assert (await run("keys", "replace-secret", "--data", str(data))).status == 0
    assert (await run("genesis", "--data", str(data))).status == 0
    assert not (data / f"{SECRET_FILE}.next").exists()


async def test_secret_of_the_environment_is_replaced_by_the_one_that_is_named(tmp_path: Path) -> None:
    named = tmp_path / "new-secret"
    async with an_empty_database() as conninfo:
        old = {"DATABASE_URL": url_of(conninfo), **SECRETS}
        new = {**old, "RECOVERY_CHALLENGE_SECRET": "n" * 32}
        assert (await run("genesis", "--data", str(tmp_path), **old)).status == 0
        unnamed = await run("keys", "replace-secret", "--data", str(tmp_path), **old)
        assert "--to FILE" in unnamed.refusal
        named.write_text("short")
        assert (
            "16 characters"
            in (await run("keys", "replace-secret", "--to", str(named), "--data", str(tmp_path), **old)).refusal
        )
        named.write_text("n" * 32 + "\n")
        for _ in range(2):
            assert (await run("keys", "replace-secret", "--to", str(named), "--data", str(tmp_path), **old)).status == 0
        assert (await run("genesis", "--data", str(tmp_path), **new)).status == 0
        assert "replace-secret" in (await run("genesis", "--data", str(tmp_path), **old)).err
        # A lost secret is no end either.
        lost = {**old, "RECOVERY_CHALLENGE_SECRET": "x" * 32}
        assert (await run("keys", "rotate", "--now", "--data", str(tmp_path), **lost)).status == 0
        assert (await run("genesis", "--data", str(tmp_path), **lost)).status == 0


async def test_keys_of_another_service_are_rotated_there(tmp_path: Path) -> None:
    async with an_empty_database() as conninfo:
        ory = {"DATABASE_URL": url_of(conninfo), **SECRETS, **ORY}
        assert "Hydra signs" in (await run("keys", "rotate", "--data", str(tmp_path), **ory)).refusal


ORY = dict.fromkeys(
    (
        "ORY_KRATOS_PUBLIC_URL",
        "ORY_KRATOS_ADMIN_URL",
        "ORY_HYDRA_PUBLIC_URL",
        "ORY_HYDRA_ADMIN_URL",
        "ORY_KETO_PUBLIC_URL",
        "ORY_KETO_ADMIN_URL",
    ),
    "http://127.0.0.1:1",
)
