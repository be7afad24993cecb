import os

import pytest

from moltnet.entrypoints.environment import DataFolderOpen, SettingsInvalid, private_data_folder
from moltnet.entrypoints.settings import read_settings

NOBODY = 65534


def mode(path):
    return path.stat().st_mode & 0o777


def someone_elses(tmp_path):
    """An open folder of another user; who may not give one away takes the root of the file system."""
    if os.geteuid() != 0:
        return tmp_path.__class__("/")
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    os.chown(folder, NOBODY, NOBODY)
    return folder


def test_new_folder_is_for_its_owner_alone(tmp_path):
    private_data_folder(tmp_path / "new" / "data")
    assert mode(tmp_path / "new" / "data") == 0o700


@pytest.mark.parametrize("wide", [0o755, 0o750, 0o711, 0o777])
def test_open_folder_of_ours_is_closed_with_the_files_in_it(tmp_path, wide):
    data = tmp_path / "data"
    (data / "first-agent").mkdir(parents=True)
    files = [data / "postgres.log", data / "recovery_challenge_secret", data / "first-agent" / "moltnet.json"]
    for file in files:
        file.write_text("secret")
        file.chmod(0o644)
    data.chmod(wide)
    private_data_folder(data)
    assert [mode(path) for path in (data, data / "first-agent", *files)] == [0o700, 0o700, 0o600, 0o600, 0o600]


def test_files_are_closed_in_a_closed_folder_too(tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / "postgres.log").touch(0o666)
    private_data_folder(tmp_path)
    assert mode(tmp_path / "postgres.log") & 0o077 == 0


def test_open_folder_with_other_things_in_it_is_refused_and_left_as_it_is(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "holiday.jpg").touch(0o644)
    with pytest.raises(DataFolderOpen, match="can be entered by others and holds other files too"):
        private_data_folder(tmp_path)
    assert (mode(tmp_path), mode(tmp_path / "holiday.jpg")) == (0o755, 0o644)


def test_open_folder_of_another_user_is_refused_and_left_as_it_is(tmp_path):
    folder = someone_elses(tmp_path)
    before = folder.stat().st_mode
    with pytest.raises(DataFolderOpen, match="belongs to another user"):
        private_data_folder(folder)
    assert folder.stat().st_mode == before


def test_no_secret_is_written_to_an_open_folder_of_another_user(tmp_path):
    folder = someone_elses(tmp_path)
    with pytest.raises(DataFolderOpen):
        read_settings(folder, {})
    assert not (folder / "recovery_challenge_secret").exists()


def test_link_in_the_folder_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch(0o644)
    elsewhere.chmod(0o644)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "postgres.log").symlink_to(elsewhere)
    private_data_folder(data)
    assert mode(elsewhere) == 0o644


def test_settings_that_anybody_may_write_are_refused(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PORT=4000\n")
    (tmp_path / ".env").chmod(0o666)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsInvalid, match=r"^\.env: anybody may write it"):
        read_settings(tmp_path / "data")
