import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import attrs
import pytest

from moltnet.adapters.files.credentials import CredentialsFile, CredentialsUnreadable, FileKeyring, KeyWouldBeLost
from moltnet.adapters.files.other_programs import mcp_server_entry, write_mcp_document
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId, ClientId
from moltnet.ports.keys import NoCredentials, OwnIdentity

KEY, OTHER = NaclKeyPair(bytes(32)), NaclKeyPair(bytes(31) + b"\x01")
CLIENT = ClientId(UUID(int=7))


def an_identity(key: NaclKeyPair = KEY, secret: str = "s") -> OwnIdentity:
    return OwnIdentity(
        agent_id=AgentId(UUID(int=1)),
        public_key=key.public_key,
        private_key=key.seed_text,
        fingerprint=key.public_key.fingerprint,
        credentials=ClientSecret(client_id=CLIENT, secret=secret),
        api_url="https://net.example",
        registered_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


@pytest.fixture
def keyring(tmp_path: Path) -> FileKeyring:
    return FileKeyring(file=CredentialsFile.within(tmp_path / "moltnet"))


def test_what_is_stored_is_read(keyring: FileKeyring) -> None:
    assert keyring.read() is None
    keyring.keep(an_identity())
    assert keyring.read() == an_identity()


def test_file_is_the_contracts(keyring: FileKeyring) -> None:
    keyring.keep(an_identity())
    assert json.loads(keyring.file.file_path.read_text()) == {
        "identity_id": str(UUID(int=1)),
        "oauth2": {"client_id": str(CLIENT), "client_secret": "s"},
        "keys": {
            "public_key": KEY.public_key.text,
            "private_key": KEY.seed_text,
            "fingerprint": str(KEY.public_key.fingerprint),
        },
        "endpoints": {"api": "https://net.example", "mcp": "https://net.example/mcp"},
        "registered_at": "2026-01-02T03:04:05Z",
    }


def test_prepared_key_is_there_until_its_identity_is_stored(keyring: FileKeyring) -> None:
    assert keyring.prepared() is None
    keyring.prepare(KEY.seed_text)
    assert keyring.prepared() == KEY.seed_text
    keyring.keep(an_identity())
    assert keyring.prepared() is None


def test_preparing_the_same_key_again_is_no_error(keyring: FileKeyring) -> None:
    keyring.prepare(KEY.seed_text)
    keyring.prepare(KEY.seed_text)


def test_another_prepared_key_is_not_replaced(keyring: FileKeyring) -> None:
    keyring.prepare(KEY.seed_text)
    with pytest.raises(KeyWouldBeLost):
        keyring.prepare(OTHER.seed_text)
    assert keyring.prepared() == KEY.seed_text


def test_prepared_key_is_its_owners_alone(keyring: FileKeyring) -> None:
    keyring.prepare(KEY.seed_text)
    assert {file_path.stat().st_mode & 0o777 for file_path in keyring.file.folder.iterdir()} == {0o600}


def test_nothing_is_prepared_where_an_identity_is(keyring: FileKeyring) -> None:
    keyring.keep(an_identity())
    with pytest.raises(KeyWouldBeLost, match="--force"):
        keyring.prepare(OTHER.seed_text)


def test_another_key_is_not_written_over(keyring: FileKeyring) -> None:
    keyring.keep(an_identity())
    with pytest.raises(KeyWouldBeLost):
        keyring.keep(an_identity(OTHER))
    assert keyring.read() == an_identity()


def test_replacing_keeps_a_copy(keyring: FileKeyring) -> None:
    keyring.keep(an_identity())
    before = keyring.file.file_path.read_text()
    forced = attrs.evolve(keyring, replacing=True)
    forced.prepare(OTHER.seed_text)
    forced.keep(an_identity(OTHER))
    assert forced.read() == an_identity(OTHER)
    assert keyring.file.file_path.with_name("moltnet.json.bak").read_text() == before


def test_keeping_the_same_identity_keeps_what_else_is_in_the_file(keyring: FileKeyring) -> None:
    keyring.keep(an_identity())
    keyring.file.update("ssh", {"public_key_path": "p"})
    keyring.keep(an_identity(secret="t"))
    assert keyring.file.required()["ssh"] == {"public_key_path": "p"}
    assert keyring.read() == an_identity(secret="t")


def test_renewing_reaches_every_file_the_secret_stands_in(keyring: FileKeyring, tmp_path: Path) -> None:
    keyring.keep(an_identity())
    file_path = write_mcp_document(tmp_path, mcp_server_entry("https://net.example", an_identity().credentials))
    fresh = ClientSecret(client_id=CLIENT, secret="fresh")
    attrs.evolve(keyring, configurations=(file_path, tmp_path / "nothing")).renew(fresh)
    assert keyring.read() == an_identity(secret="fresh")
    assert "fresh" in file_path.read_text()


def test_nothing_to_renew_is_reported(keyring: FileKeyring) -> None:
    with pytest.raises(NoCredentials):
        keyring.renew(ClientSecret(client_id=CLIENT, secret="fresh"))


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("identity_id", "not a uuid"),
        ("identity_id", None),
        ("oauth2", {}),
        ("keys", {"public_key": "ed25519:AAAA"}),
        ("keys", None),
    ],
)
def test_file_that_lacks_a_part_is_reported_in_one_sentence(keyring: FileKeyring, section: str, value: object) -> None:
    keyring.keep(an_identity())
    keyring.file.write({**keyring.file.required(), section: value})
    with pytest.raises(CredentialsUnreadable, match="config repair"):
        keyring.read()


@pytest.mark.parametrize("at", ["", "yesterday", "2026-01-02T03:04:05"])
def test_odd_time_is_no_reason_to_refuse_the_rest(keyring: FileKeyring, at: str) -> None:
    keyring.keep(an_identity())
    keyring.file.write({**keyring.file.required(), "registered_at": at})
    assert keyring.read() is not None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"keys": {"private_key": "AAAA"}}', '{"keys": {"private_key": 1}}']
)
def test_spoilt_draft_is_reported_in_one_sentence(keyring: FileKeyring, text: str) -> None:
    keyring.prepare(KEY.seed_text)
    keyring.file.file_path.with_name("moltnet.pending.json").write_text(text)
    with pytest.raises(CredentialsUnreadable):
        keyring.prepared()


def test_secrets_are_not_in_its_text() -> None:
    assert KEY.seed_text not in repr(an_identity())


# Another key


def test_next_key_is_kept_beside_the_identity_until_it_takes_its_place(keyring: FileKeyring) -> None:
    with pytest.raises(NoCredentials):
        keyring.prepare_next(OTHER.seed_text)
    keyring.keep(an_identity())
    assert keyring.next_key() is None
    keyring.prepare_next(OTHER.seed_text)
    keyring.prepare_next(OTHER.seed_text)
    assert (keyring.next_key(), keyring.read()) == (OTHER.seed_text, an_identity())
    with pytest.raises(KeyWouldBeLost):
        keyring.prepare_next(NaclKeyPair(bytes(30) + b"\x01\x01").seed_text)
    keyring.replace_key(OTHER, ClientSecret(client_id=CLIENT, secret="t"))
    assert keyring.read() == an_identity(OTHER, "t")
    assert keyring.next_key() is None


def test_next_key_is_for_its_owner_alone(keyring: FileKeyring) -> None:
    keyring.keep(an_identity())
    keyring.prepare_next(OTHER.seed_text)
    (draft,) = keyring.file.folder.glob("*.next-key.json")
    assert draft.stat().st_mode & 0o777 == 0o600
    draft.write_text("{}")
    with pytest.raises(CredentialsUnreadable):
        keyring.next_key()


def test_replacing_a_key_leaves_the_rest_of_the_file(keyring: FileKeyring, tmp_path: Path) -> None:
    keyring.keep(an_identity())
    keyring.file.update("git", {"name": "Ada"})
    configuration = write_mcp_document(tmp_path, mcp_server_entry("https://net.example", an_identity().credentials))
    attrs.evolve(keyring, configurations=(configuration,)).replace_key(
        OTHER, ClientSecret(client_id=CLIENT, secret="t")
    )
    document = json.loads(keyring.file.file_path.read_text())
    assert document["git"] == {"name": "Ada"}
    assert document["oauth2"]["client_secret"] == "t"
    assert "t" in configuration.read_text()
