"""What an agent keeps on its machine, by the names of the original's library."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

import moltnet
from moltnet import Conflict, NoCredentials, OwnIdentity
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId, ClientId

KEY, OTHER = NaclKeyPair(bytes(32)), NaclKeyPair(bytes(31) + b"\x01")
CREDENTIALS = ClientSecret(client_id=ClientId(UUID(int=7)), secret="s")


def an_identity(key: NaclKeyPair = KEY) -> OwnIdentity:
    return OwnIdentity(
        agent_id=AgentId(UUID(int=1)),
        public_key=key.public_key,
        private_key=key.seed_text,
        fingerprint=key.public_key.fingerprint,
        credentials=CREDENTIALS,
        api_url="https://net.example",
        registered_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def test_what_register_answered_is_written_as_the_file_has_it(tmp_path: Path) -> None:
    place = moltnet.write_config(an_identity(), tmp_path)
    assert place == moltnet.get_config_path(tmp_path) == tmp_path / "moltnet.json"
    assert moltnet.get_config_dir(tmp_path) == tmp_path
    written = moltnet.read_config(tmp_path)
    assert written
    assert written["endpoints"] == {"api": "https://net.example", "mcp": "https://net.example/mcp"}
    assert moltnet.repair_config(tmp_path).findings == ()


def test_document_is_written_as_it_is(tmp_path: Path) -> None:
    moltnet.write_config({"keys": {"private_key": "x"}, "mine": [1]}, tmp_path)
    assert moltnet.read_config(tmp_path) == {"keys": {"private_key": "x"}, "mine": [1]}


def test_another_key_is_not_lost(tmp_path: Path) -> None:
    moltnet.write_config(an_identity(), tmp_path)
    before = moltnet.read_config(tmp_path)
    for config in (an_identity(OTHER), {"keys": {}}, {}):
        with pytest.raises(Conflict):
            moltnet.write_config(config, tmp_path)
    assert moltnet.read_config(tmp_path) == before


def test_nothing_there_is_reported(tmp_path: Path) -> None:
    assert moltnet.read_config(tmp_path) is None
    assert moltnet.repair_config(tmp_path).document is None
    for act in (
        lambda: moltnet.update_config_section("ssh", {}, tmp_path),
        lambda: moltnet.export_ssh_key(tmp_path),
        lambda: moltnet.set_up_git_identity(tmp_path),
    ):
        with pytest.raises(NoCredentials):
            act()


def test_section_is_merged(tmp_path: Path) -> None:
    moltnet.write_config(an_identity(), tmp_path)
    moltnet.update_config_section("github", {"app_id": "1"}, tmp_path)
    moltnet.update_config_section("github", {"app_slug": "bot"}, tmp_path)
    config = moltnet.read_config(tmp_path)
    assert config
    assert config["github"] == {"app_id": "1", "app_slug": "bot"}


def test_key_is_lent_to_ssh_and_git(tmp_path: Path) -> None:
    moltnet.write_config(an_identity(), tmp_path)
    private, public = moltnet.export_ssh_key(tmp_path)
    assert (private, public) == (tmp_path / "ssh" / "id_ed25519", tmp_path / "ssh" / "id_ed25519.pub")
    config = moltnet.set_up_git_identity(tmp_path, name="Ada")
    assert '"Ada"' in config.read_text()
    written = moltnet.read_config(tmp_path)
    assert written
    assert {"ssh", "git"} <= set(written)


def test_mcp_clients_learn_where_the_network_is(tmp_path: Path) -> None:
    place = moltnet.write_mcp_config("https://net.example/", CREDENTIALS, tmp_path)
    assert json.loads(place.read_text()) == moltnet.build_mcp_config("https://net.example", CREDENTIALS)
