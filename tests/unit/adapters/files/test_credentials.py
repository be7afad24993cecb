import json
import logging
from pathlib import Path

import pytest

from moltnet.adapters.files.credentials import CredentialsFile, CredentialsUnreadable, text_of
from moltnet.adapters.files.paths import read_text
from moltnet.ports.keys import NoCredentials

ORDERED = ["identity_id", "oauth2", "keys", "endpoints", "registered_at", "ssh", "git", "github", "later", "more"]


@pytest.fixture
def file(tmp_path: Path) -> CredentialsFile:
    return CredentialsFile.within(tmp_path)


def test_members_come_in_the_contracts_order_and_unknown_ones_are_stored(file: CredentialsFile) -> None:
    file.write({name: {} for name in reversed(ORDERED[:8])} | {"later": 1, "more": 2})
    assert list(json.loads(file.file_path.read_text())) == ORDERED


def test_file_is_indented_by_two_and_ends_with_a_newline(file: CredentialsFile) -> None:
    file.write({"identity_id": "ü"})
    assert read_text(file.file_path) == '{\n  "identity_id": "ü"\n}\n'


def test_legacy_file_is_read_with_a_warning_and_never_written(
    file: CredentialsFile, caplog: pytest.LogCaptureFixture
) -> None:
    file.legacy.write_text('{"identity_id": "x"}')
    with caplog.at_level(logging.WARNING):
        assert file.read() == {"identity_id": "x"}
    assert "deprecated" in caplog.text
    file.update("ssh", {"public_key_path": "p"})
    assert json.loads(file.legacy.read_text()) == {"identity_id": "x"}
    assert json.loads(file.file_path.read_text()) == {"identity_id": "x", "ssh": {"public_key_path": "p"}}


def test_the_new_file_wins(file: CredentialsFile) -> None:
    file.legacy.write_text('{"identity_id": "old"}')
    file.write({"identity_id": "new"})
    assert file.read() == {"identity_id": "new"}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "\x00", "[" * 100_000])
def test_invalid_file_is_an_error_and_no_other_is_taken_instead(file: CredentialsFile, text: str) -> None:
    file.legacy.write_text('{"identity_id": "old"}')
    file.file_path.write_text(text)
    with pytest.raises(CredentialsUnreadable, match="restore it"):
        file.read()


def test_a_named_file_has_no_legacy_file(tmp_path: Path) -> None:
    file = CredentialsFile(tmp_path / "mine.json")
    file.legacy.write_text('{"identity_id": "old"}')
    assert file.read() is None


def test_section_of_no_file_cannot_be_updated(file: CredentialsFile) -> None:
    with pytest.raises(NoCredentials, match=r"moltnet\.json"):
        file.update("ssh", {})


def test_updating_a_section_keeps_its_other_members(file: CredentialsFile) -> None:
    file.write({"git": {"name": "n", "future": [1]}})
    file.update("git", {"email": "e"})
    assert file.read() == {"git": {"name": "n", "future": [1], "email": "e"}}


@pytest.mark.parametrize("document", [{}, {"a": 1}, {"a": {"b": 1}}, {"a": []}, {"a": {"b": None}}])
def test_text_that_is_not_there_is_empty(document: dict[str, object]) -> None:
    assert text_of(document, "a.b") == ""


def test_file_that_others_may_read_is_warned_of_once(file: CredentialsFile, caplog: pytest.LogCaptureFixture) -> None:
    file.write({"identity_id": "x"})
    file.read()
    assert caplog.text == ""
    file.file_path.chmod(0o640)
    file.read()
    file.read()
    assert caplog.text.count("mode 0640") == 1
