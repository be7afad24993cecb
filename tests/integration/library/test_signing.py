"""What an agent does with its key at home, by the vectors of docs/reference/signatures.md, "Signed bytes"."""

import base64
from pathlib import Path

import pytest

from moltnet import (
    Invalid,
    MoltNet,
    NoCredentials,
    prove_key,
    sign,
    sign_and_submit,
    sign_bytes,
    sign_challenge,
    verify,
    verify_with_nonce,
)
from moltnet.domain.challenges import ForeignChallenge, UnsafeChallenge
from moltnet.domain.signing import signing_bytes
from moltnet.entrypoints.container.remote import file_keyring, key_pair_of

SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
PUBLIC = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
NONCE = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
RAW = "eyt0UK7IZfCyM4If36ciACoXelW5DHc3OK7LqnHPer/wE3Cvr+GRlpyoM/u9ziRttztFjUcch5nNNG36J5/jAg=="
INPUT = (
    "bW9sdG5ldDp2MQAAACBrtqWtm5xDp8tTXmNleHFrZKxC7eqBSkytECukBJRoNwAAACRmNDdhYzEwYi01OGNjLTQzNzItYTU2Ny0wZTAyYjJjM2Q0"
    "Nzk="
)
FRAMED = "5YWAAbGXrGg/UCT/b6n7s3rvfDisiCknZKeZ4+jUfHEs/ZqN2oQA+jcFxRiloAufiMGjhAXjbZ0PIR+cb9qwAQ=="
LINES = "line1\nline2\nline3"


@pytest.fixture(autouse=True)
def _key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not folder.exists()
    monkeypatch.setenv("MOLTNET_PRIVATE_KEY", SEED)


def test_the_contracts_vectors_are_signed() -> None:
    assert sign(LINES, NONCE) == FRAMED
    assert sign_bytes(INPUT) == FRAMED
    assert key_pair_of(SEED).sign(b"moltnet:test:hello") == RAW


async def test_only_a_challenge_of_the_network_that_is_meant_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with MoltNet.in_memory() as network:
        challenge = await network.anonymous.recovery.request_challenge(PUBLIC)
        signature = sign_challenge(challenge, network=network.url)
        assert verify(challenge.text, signature, PUBLIC)
        assert sign_challenge(challenge.text, network=f"{network.url}/") == signature
        with pytest.raises(ForeignChallenge, match=r"https://api\.themolt\.net"):
            sign_challenge(challenge)  # the public network is meant where none is named
        monkeypatch.setenv("MOLTNET_API_URL", network.url)
        assert sign_challenge(challenge) == signature
        with pytest.raises(ForeignChallenge, match=r"https://elsewhere\.example"):
            sign_challenge(challenge, network="https://elsewhere.example")
    for text in ("moltnet:test:hello", f"{challenge.text} ", "", "\ud800"):
        with pytest.raises(UnsafeChallenge):
            sign_challenge(text, network=network.url)


async def test_nothing_but_a_framed_message_is_signed_as_a_signing_input() -> None:
    async with MoltNet.in_memory() as network:
        challenge = await network.anonymous.recovery.request_challenge(PUBLIC)
    framed = base64.b64decode(INPUT)
    for raw in (challenge.text.encode(), b"", b"moltnet:v1", framed[:-1], framed + b"x", b"x" + framed, framed[:46]):
        with pytest.raises(Invalid, match="framed message"):
            sign_bytes(base64.b64encode(raw).decode())
    assert sign_bytes(base64.b64encode(signing_bytes("", "")).decode())


def test_they_verify_and_nothing_else_does() -> None:
    assert verify("moltnet:test:hello", RAW, PUBLIC)
    assert verify_with_nonce(LINES, NONCE, FRAMED, PUBLIC)
    assert not verify("moltnet:test:hello ", RAW, PUBLIC)
    assert not verify_with_nonce(LINES.replace("\n", "\r\n"), NONCE, FRAMED, PUBLIC)
    assert not verify_with_nonce(LINES, NONCE.upper(), FRAMED, PUBLIC)
    for odd in ("", "x", "é", "\ud800", RAW[:-4], RAW + "AAAA"):
        assert not verify("moltnet:test:hello", odd, PUBLIC)
        assert not verify("moltnet:test:hello", RAW, odd)
        assert not verify(odd, RAW, PUBLIC)
        assert not verify_with_nonce(odd, NONCE, FRAMED, PUBLIC)
        assert not verify_with_nonce(LINES, odd, FRAMED, PUBLIC)


@pytest.mark.parametrize("message", ["a\r\nb", "  a  ", "— \N{SEEDLING}", "漢字", "a\0b", "x" * 2000, ""])
def test_every_text_is_signed_as_it_stands(message: str) -> None:
    assert verify_with_nonce(message, NONCE, sign(message, NONCE), PUBLIC)


def test_what_cannot_be_read_is_refused_without_being_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid):
        sign("\ud800", NONCE)
    for odd in ("é", "###", "A"):
        with pytest.raises(Invalid):
            sign_bytes(odd)
    for odd in ("seed-1234", SEED[:-4], base64.b64encode(bytes(33)).decode()):
        monkeypatch.setenv("MOLTNET_PRIVATE_KEY", odd)
        with pytest.raises(Invalid) as refused:
            sign("m", NONCE)
        assert odd not in repr(refused.getrepr(chain=True, showlocals=False).reprcrash)
        assert odd not in str(refused.value)


async def test_a_file_that_is_named_comes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MoltNet.in_memory() as network:
        kept = await network.genesis(keyring=file_keyring(tmp_path / "own" / "moltnet.json"))
    assert kept.keys
    assert verify_with_nonce("m", NONCE, sign("m", NONCE, tmp_path / "own"), kept.keys.public_key.text)
    with pytest.raises(NoCredentials):
        sign("m", NONCE, tmp_path / "empty")
    monkeypatch.delenv("MOLTNET_PRIVATE_KEY")
    with pytest.raises(NoCredentials):
        sign("m", NONCE)


async def test_signing_is_one_call_with_ones_own_key_or_a_named_one() -> None:
    async with MoltNet.in_memory() as network:
        ada, keys = await network.genesis(), key_pair_of(SEED)
        done = await sign_and_submit(ada, "m")
        assert done.valid
        assert done.message == "m"
        assert (await sign_and_submit(ada, "m", keys=keys)).valid is False
        assert ada.identity
        keyless = await network.agent(ada.identity.credentials)
        with pytest.raises(Invalid, match="no private key"):
            await sign_and_submit(keyless, "m")


async def test_a_key_proves_itself_in_one_call() -> None:
    async with MoltNet.in_memory() as network:
        ada = await network.genesis(keys=key_pair_of(SEED))
        fresh = await prove_key(network.anonymous, key_pair_of(SEED), network=network.url)
        again = await network.agent(fresh)
        assert (await again.agents.whoami()).agent_id == (await ada.agents.whoami()).agent_id
