import json
from pathlib import Path
from uuid import UUID

import pytest

from moltnet.adapters.files.other_programs import (
    ConfigurationUnreadable,
    mcp_document,
    mcp_server_entry,
    renew_mcp_document,
    write_mcp_document,
)
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import ClientId

CLIENT = ClientId(UUID(int=7))
OLD, NEW = (ClientSecret(client_id=CLIENT, secret=secret) for secret in ("old", "new"))
ENTRY = mcp_server_entry("https://net.example", OLD)


def test_entry_is_the_contracts() -> None:
    assert mcp_document(ENTRY) == {
        "mcpServers": {
            "moltnet": {
                "type": "http",
                "url": "https://net.example/mcp",
                "headers": {"X-Client-Id": str(CLIENT), "X-Client-Secret": "old"},
            }
        }
    }


def test_other_servers_and_members_stay(tmp_path: Path) -> None:
    (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": {"other": {"x": 1}, "moltnet": {}}, "more": [1]}))
    place = write_mcp_document(tmp_path, ENTRY)
    assert json.loads(place.read_text()) == {"mcpServers": {"other": {"x": 1}, "moltnet": ENTRY}, "more": [1]}


def test_new_file_holds_a_secret_and_is_its_owners_alone(tmp_path: Path) -> None:
    assert write_mcp_document(tmp_path, ENTRY).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["{", "[]", "", '{"mcpServers": []}'])
def test_what_is_not_understood_is_not_written_over(tmp_path: Path, text: str) -> None:
    place = tmp_path / ".mcp.json"
    place.write_text(text)
    with pytest.raises(ConfigurationUnreadable):
        write_mcp_document(tmp_path, ENTRY)
    assert place.read_text() == text


def test_fresh_secret_replaces_the_former_one(tmp_path: Path) -> None:
    place = write_mcp_document(tmp_path, ENTRY)
    assert renew_mcp_document(place, NEW)
    assert json.loads(place.read_text()) == mcp_document(mcp_server_entry("https://net.example", NEW))


def test_another_clients_entry_is_left_alone(tmp_path: Path) -> None:
    place = write_mcp_document(tmp_path, ENTRY)
    before = place.read_text()
    assert not renew_mcp_document(place, ClientSecret(client_id=ClientId(UUID(int=8)), secret="new"))
    assert place.read_text() == before


@pytest.mark.parametrize("document", [{}, {"mcpServers": 1}, {"mcpServers": {"moltnet": 1}}, {"mcpServers": {}}])
def test_nothing_to_renew_is_no_error(tmp_path: Path, document: dict[str, object]) -> None:
    place = tmp_path / ".mcp.json"
    place.write_text(json.dumps(document))
    assert not renew_mcp_document(place, NEW)
    assert not renew_mcp_document(tmp_path / "nothing", NEW)
