from pathlib import Path

import pytest

from moltnet.adapters.files.credentials import CredentialsFile, Document
from moltnet.adapters.files.repair import Action, RepairFinding, repair
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.keys import PublicKey

KEY, OTHER = NaclKeyPair(bytes(32)), NaclKeyPair(bytes(31) + b"\x01")


def public_key_of(seed: bytes) -> PublicKey:
    return NaclKeyPair(seed).public_key


def a_document(**sections: object) -> Document:
    return {
        "identity_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "oauth2": {"client_id": "7c2f1e0a-58cc-4372-a567-0e02b2c3d479", "client_secret": "s"},
        "keys": {
            "public_key": KEY.public_key.text,
            "private_key": KEY.seed_text,
            "fingerprint": str(KEY.public_key.fingerprint),
        },
        "endpoints": {"api": "https://net.example", "mcp": "https://net.example/mcp"},
        **sections,
    }


@pytest.fixture
def file(tmp_path: Path) -> CredentialsFile:
    return CredentialsFile.within(tmp_path)


def found(file: CredentialsFile, document: Document) -> list[tuple[str, Action]]:
    file.write(document)
    return [(finding.field, finding.action) for finding in repair(file, public_key_of).findings]


def test_good_file_has_no_findings(file: CredentialsFile) -> None:
    assert found(file, a_document()) == []


def test_nothing_there_is_distinguished_from_nothing_wrong(file: CredentialsFile) -> None:
    repaired = repair(file, public_key_of)
    assert (repaired.findings, repaired.document) == ((), None)


def test_missing_members_are_warnings(file: CredentialsFile) -> None:
    warned = found(file, {"keys": {}, "endpoints": {}})
    assert warned == [
        (path, Action.WARNING)
        for path in (
            "identity_id",
            "keys.public_key",
            "keys.private_key",
            "endpoints.api",
            "oauth2.client_id",
            "oauth2.client_secret",
        )
    ]


def test_mcp_address_follows_from_the_api(file: CredentialsFile) -> None:
    assert found(file, a_document(endpoints={"api": "https://net.example"})) == [("endpoints.mcp", Action.FIXED)]
    assert file.read() == a_document()


def test_fingerprint_follows_from_the_key(file: CredentialsFile) -> None:
    keys = {"public_key": KEY.public_key.text, "private_key": KEY.seed_text, "fingerprint": "wrong"}
    assert found(file, a_document(keys=keys)) == [("keys.fingerprint", Action.FIXED)]
    assert file.read() == a_document()


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"public_key": KEY.public_key.text.removeprefix("ed25519:")}, "keys.public_key"),
        ({"public_key": "ed25519:AAAA"}, "keys.public_key"),
        ({"private_key": "AAAA"}, "keys.private_key"),
        ({"private_key": OTHER.seed_text}, "keys.private_key"),
    ],
)
def test_keys_that_do_not_hold_are_warned_of(file: CredentialsFile, members: dict[str, str], field: str) -> None:
    keys = a_document()["keys"]
    assert isinstance(keys, dict)
    assert found(file, a_document(keys={**keys, **members})) == [(field, Action.WARNING)]


def test_recorded_paths_that_are_gone_are_warned_of(file: CredentialsFile, tmp_path: Path) -> None:
    ssh = {"private_key_path": str(tmp_path / "gone"), "public_key_path": str(tmp_path)}
    assert found(file, a_document(ssh=ssh)) == [("ssh.private_key_path", Action.WARNING)]


def test_open_mode_is_tightened(file: CredentialsFile) -> None:
    file.write(a_document())
    file.file_path.chmod(0o644)
    assert [finding.action for finding in repair(file, public_key_of).findings] == [Action.FIXED]
    assert file.file_path.stat().st_mode & 0o777 == 0o600


def test_legacy_file_is_migrated_and_stays(file: CredentialsFile) -> None:
    legacy = CredentialsFile(file.legacy)
    legacy.write(a_document())
    assert repair(file, public_key_of).findings == (
        RepairFinding(field="file", problem="only credentials.json is there", action=Action.MIGRATE),
    )
    assert CredentialsFile(file.file_path).read() == legacy.read()


def test_dry_run_writes_nothing(file: CredentialsFile) -> None:
    file.write(a_document(endpoints={"api": "https://net.example"}))
    before = file.file_path.read_bytes()
    repaired = repair(file, public_key_of, dry_run=True)
    assert repaired.writes
    assert repaired.document == a_document()
    assert file.file_path.read_bytes() == before


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"identity_id": "me"}, "identity_id"),
        ({"oauth2": {"client_id": "c", "client_secret": "s"}}, "oauth2.client_id"),
    ],
)
def test_ids_that_are_none_are_warned_of(file: CredentialsFile, members: dict[str, object], field: str) -> None:
    assert found(file, a_document(**members)) == [(field, Action.WARNING)]
