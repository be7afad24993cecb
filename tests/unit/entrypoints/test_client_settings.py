"""What an agent's environment says."""

from pathlib import Path

import pytest

from moltnet.entrypoints.environment import SettingsInvalid
from moltnet.entrypoints.settings import http_url, read_client_settings


def test_an_empty_environment_says_where_credentials_are_and_nothing_else() -> None:
    for environment in ({}, {"MOLTNET_CLIENT_ID": "", "MOLTNET_API_URL": "", "MOLTNET_CREDENTIALS_PATH": ""}):
        read = read_client_settings(environment=environment)
        assert (read.client_id, read.client_secret, read.api_url, read.private_key) == (None,) * 4
        assert read.credentials_file == Path.home() / ".config" / "moltnet" / "moltnet.json"


def test_every_variable_is_read_and_no_secret_is_shown() -> None:
    read = read_client_settings(
        environment={
            "MOLTNET_CLIENT_ID": "id",
            "MOLTNET_CLIENT_SECRET": "secret-1234",
            "MOLTNET_API_URL": "https://x.example/",
            "MOLTNET_PRIVATE_KEY": "seed-1234",
            "MOLTNET_CREDENTIALS_PATH": "/own/file.json",
        }
    )
    assert (read.client_id, read.client_secret, read.api_url, read.private_key, read.credentials_file) == (
        "id",
        "secret-1234",
        "https://x.example",
        "seed-1234",
        Path("/own/file.json"),
    )
    assert "1234" not in repr(read)


def test_a_named_folder_comes_before_the_environment(tmp_path: Path) -> None:
    read = read_client_settings(tmp_path, {"MOLTNET_CREDENTIALS_PATH": "/own/file.json"})
    assert read.credentials_file == tmp_path / "moltnet.json"


@pytest.mark.parametrize("text", ["nonsense", "ftp://x", "http://", "http://x:port", " "])
def test_an_address_that_is_none_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="MOLTNET_API_URL"):
        read_client_settings(environment={"MOLTNET_API_URL": text})
    with pytest.raises(SettingsInvalid, match="address of a network"):
        http_url(text)
