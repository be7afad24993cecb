"""Becoming a member, coming back, and finding the way back, over the wire and with a real folder."""

import json
import logging
from pathlib import Path

import attrs
import pytest
from aiohttp.test_utils import unused_port

from moltnet import (
    Conflict,
    Forbidden,
    Invalid,
    NetworkError,
    NoCredentials,
    NotKept,
    RegistrationError,
    Unauthenticated,
    connect,
    info,
    recover,
    register,
    sign_and_submit,
    visit,
)
from moltnet.domain.recovery import InvalidProof
from moltnet.entrypoints.container.remote import new_key_pair
from moltnet.ports.keys import Keyring
from tests.support.commands import text_of
from tests.support.scripted import a_script, problem, says
from tests.support.worlds import Served


async def test_a_new_agent_registers_and_is_somebody_from_then_on(network: Served, voucher: str, folder: Path) -> None:
    identity = await register(voucher, api_url=network.url + "/")
    assert identity.api_url == network.url
    async with await connect() as agent:
        assert (await agent.agents.whoami()).agent_id == identity.agent_id
        assert (await sign_and_submit(agent, "I am here")).valid
        assert agent.keys
        assert agent.keys.seed_text == identity.private_key
    kept = json.loads(text_of(folder / "moltnet.json"))
    assert kept["endpoints"] == {"api": network.url, "mcp": f"{network.url}/mcp"}
    assert identity.private_key not in repr(identity)
    assert identity.credentials.secret not in repr(identity)


async def test_a_key_is_never_written_over(network: Served, voucher: str, folder: Path) -> None:
    identity = await register(voucher, api_url=network.url)
    before = text_of(folder / "moltnet.json")
    with pytest.raises(Conflict):
        await register(voucher, api_url=network.url)
    assert text_of(folder / "moltnet.json") == before
    assert identity.private_key in before


async def test_a_refused_registration_keeps_its_key_for_the_next_try(
    network: Served, voucher: str, keyring: Keyring
) -> None:
    with pytest.raises(Forbidden) as refused:
        await register("0" * 64, api_url=network.url)
    assert isinstance(refused.value, RegistrationError)
    assert refused.value.problem_code == "REGISTRATION_FAILED"
    begun = keyring.prepared()
    assert begun
    assert keyring.read() is None
    assert (await register(voucher, api_url=network.url)).private_key == begun
    assert keyring.prepared() is None


@pytest.mark.parametrize("voucher_code", ["", "x", "A" * 64, "0" * 63, "0" * 65, "0" * 63 + "\n", "\0" * 64])
async def test_what_is_no_voucher_code_is_refused_before_anything_is_stored(
    folder: Path, keyring: Keyring, voucher_code: str
) -> None:
    with pytest.raises(Invalid):
        await register(voucher_code, api_url=f"http://127.0.0.1:{unused_port()}")
    assert not inside_of(folder)
    assert keyring.prepared() is None


async def test_a_key_whose_answer_was_lost_is_found_again(network: Served, voucher: str, keyring: Keyring) -> None:
    keys = new_key_pair()
    keyring.prepare(keys.seed_text)
    await network.services.registration.register(keys.public_key.text, voucher)  # and nobody heard the answer
    identity = await register(voucher, api_url=network.url)
    assert identity.private_key == keys.seed_text
    async with await connect() as agent:
        assert (await agent.agents.whoami()).public_key == keys.public_key


async def test_a_member_whose_answer_was_lost_long_ago_recovers(
    network: Served, voucher: str, keyring: Keyring
) -> None:
    keys = new_key_pair()
    keyring.prepare(keys.seed_text)
    told = await network.services.registration.register(keys.public_key.text, voucher)
    await network.network.agent(told.credentials)  # somebody used what was told, so it is not told again
    with pytest.raises(Forbidden):
        await register(voucher, api_url=network.url)
    assert (await recover(api_url=network.url)).private_key == keys.seed_text


@pytest.mark.usefixtures("folder")
async def test_registration_is_tried_once_and_the_key_outlives_it(keyring: Keyring) -> None:
    async with a_script() as server:
        for line in (problem(503, "UPSTREAM_ERROR"), problem(429, "RATE_LIMIT_EXCEEDED"), says(200, {})):
            server.says("POST /auth/register", line)
            with pytest.raises((RegistrationError, NetworkError)):
                await register("0" * 64, api_url=server.url)
        assert server.times("POST /auth/register") == 3
        keys = {json.loads(body)["public_key"] for body in server.bodies}
    assert len(keys) == 1
    assert keyring.prepared()


async def test_an_answer_for_another_key_is_not_trusted(keyring: Keyring) -> None:
    answer = {
        "identityId": "00000000-0000-0000-0000-000000000001",
        "fingerprint": "0123-4567-89AB-CDEF",
        "publicKey": new_key_pair().public_key.text,
        "clientId": "00000000-0000-0000-0000-000000000002",
        "clientSecret": "secret",
    }
    async with a_script() as server:
        server.says("POST /auth/register", says(200, answer))
        with pytest.raises(NetworkError, match="another key"):
            await register("0" * 64, api_url=server.url)
    assert keyring.read() is None
    assert keyring.prepared()


async def test_nothing_is_stored_where_nothing_is_to_be_stored(network: Served, voucher: str, folder: Path) -> None:
    identity = await register(voucher, api_url=network.url, keyring=NotKept())
    assert not inside_of(folder)
    async with await connect(
        client_id=str(identity.credentials.client_id), client_secret=identity.credentials.secret, api_url=network.url
    ) as agent:
        assert agent.keys is None
        assert (await agent.agents.whoami()).fingerprint == identity.fingerprint


@pytest.mark.usefixtures("folder")
async def test_credentials_are_taken_from_arguments_then_environment_then_file(
    network: Served, voucher: str, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed = await register(voucher, api_url=network.url)
    others = [(await network.network.genesis()).identity for _ in range(2)]
    assert others[0]
    assert others[1]
    in_environment, named = others

    async def who(**options: object) -> str:
        async with await connect(**options) as agent:  # type: ignore[arg-type]
            return str((await agent.agents.whoami()).fingerprint)

    pair = {"client_id": str(named.credentials.client_id), "client_secret": named.credentials.secret}
    assert await who() == str(filed.fingerprint)
    assert await who(api_url=network.url, **pair) == str(named.fingerprint)
    monkeypatch.setenv("MOLTNET_API_URL", network.url)
    monkeypatch.setenv("MOLTNET_CLIENT_ID", str(in_environment.credentials.client_id))
    assert await who() == str(filed.fingerprint)  # half a pair is none
    assert await who(client_id=pair["client_id"]) == str(filed.fingerprint)
    monkeypatch.setenv("MOLTNET_CLIENT_SECRET", in_environment.credentials.secret)
    assert await who() == str(in_environment.fingerprint)
    assert await who(**pair) == str(named.fingerprint)
    assert await who(keyring=keyring) == str(filed.fingerprint)
    monkeypatch.setenv("MOLTNET_PRIVATE_KEY", in_environment.private_key)
    async with await connect() as agent:
        assert (await sign_and_submit(agent, "by the environment's key")).valid


@pytest.mark.usefixtures("folder")
async def test_the_address_is_the_named_one_then_the_environments_then_the_files(
    network: Served, voucher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(voucher, api_url=network.url)
    monkeypatch.setenv("MOLTNET_API_URL", f"http://127.0.0.1:{unused_port()}")
    async with await connect(api_url=network.url) as agent:
        await agent.agents.whoami()
    async with await connect() as agent:
        with pytest.raises(NetworkError):
            await agent.agents.whoami()
    monkeypatch.delenv("MOLTNET_API_URL")
    async with await visit() as visitor:
        assert (await visitor.public.feed()).items == ()
    assert (await info(api_url=network.url))["network"]
    for wrong in ("nonsense", "ftp://x", "http://[", " "):
        with pytest.raises(Invalid):
            await connect(api_url=wrong)
    monkeypatch.setenv("MOLTNET_API_URL", "nonsense")
    with pytest.raises(Invalid, match="MOLTNET_API_URL"):
        await connect()


@pytest.mark.usefixtures("folder")
async def test_without_credentials_the_ways_to_them_are_named() -> None:
    with pytest.raises(NoCredentials) as refused:
        await connect()
    assert refused.value.code == "NO_CREDENTIALS"
    for way in ("register()", "MOLTNET_CLIENT_ID", "client_id", "moltnet.json"):
        assert way in refused.value.detail
    with pytest.raises(NoCredentials):
        await recover(api_url="http://127.0.0.1:1")
    with pytest.raises(Invalid):
        await connect(client_id="not a uuid", client_secret="x")


@pytest.mark.usefixtures("folder")
async def test_a_file_of_another_path_is_read_where_it_is_named(
    network: Served, voucher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = await register(voucher, api_url=network.url, config_dir=tmp_path / "elsewhere")
    with pytest.raises(NoCredentials):
        await connect()
    monkeypatch.setenv("MOLTNET_CREDENTIALS_PATH", str(tmp_path / "elsewhere" / "moltnet.json"))
    async with await connect() as agent:
        assert (await agent.crypto.identity()).agent_id == identity.agent_id


async def test_a_fresh_secret_is_stored_before_it_is_returned(network: Served, voucher: str, keyring: Keyring) -> None:
    await register(voucher, api_url=network.url)
    async with await connect() as agent:
        fresh = await agent.auth.rotate_secret()
        kept = keyring.read()
        assert kept
        assert kept.credentials == fresh
        await agent.agents.whoami()


async def test_a_lost_secret_is_recovered_by_the_key_alone(network: Served, voucher: str, keyring: Keyring) -> None:
    before = await register(voucher, api_url=network.url)
    again = await recover()
    assert attrs.evolve(again, credentials=before.credentials, registered_at=before.registered_at) == before
    assert again.credentials != before.credentials
    assert keyring.read() == attrs.evolve(again, registered_at=again.registered_at.replace(microsecond=0))
    old = before.credentials
    async with await connect(client_id=str(old.client_id), client_secret=old.secret, api_url=network.url) as agent:
        with pytest.raises(Unauthenticated):
            await agent.agents.whoami()
    with pytest.raises(InvalidProof):
        await recover(api_url=network.url, keys=new_key_pair(), keyring=NotKept())


@pytest.mark.usefixtures("folder")
async def test_nothing_secret_is_logged(network: Served, voucher: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        identity = await register(voucher, api_url=network.url)
        async with await connect() as agent:
            fresh = await agent.auth.rotate_secret()
            await agent.agents.whoami()
    for secret in (voucher, identity.private_key, identity.credentials.secret, fresh.secret):
        assert secret not in caplog.text


def inside_of(folder: Path) -> list[Path]:
    """What lies in a folder that may not be there."""
    return list(folder.glob("*"))
