import os
from pathlib import Path

import pytest

from moltnet.adapters.files.paths import PUBLIC, UnusablePath, alone_in, read_text, set_aside, write_atomically


def test_written_file_is_its_owners_alone_and_so_are_new_folders(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b" / "secret"
    write_atomically(place, "s")
    modes = [each.stat().st_mode & 0o777 for each in (place, place.parent, place.parent.parent)]
    assert (read_text(place), modes) == ("s", [0o600, 0o700, 0o700])


def test_replacing_a_file_tightens_its_mode(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.write_text("old")
    place.chmod(0o644)
    write_atomically(place, "new")
    assert (read_text(place), place.stat().st_mode & 0o777) == ("new", 0o600)


def test_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_atomically(tmp_path / "open", "x", PUBLIC)
    finally:
        os.umask(before)
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o644


def test_no_draft_remains(tmp_path: Path) -> None:
    write_atomically(tmp_path / "x", "1")
    write_atomically(tmp_path / "x", "2")
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_file_in_the_way_of_a_folder_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusablePath, match="make it readable and writable"):
        write_atomically(tmp_path / "file" / "secret", "s")


def test_a_folder_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UnusablePath):
        read_text(tmp_path)


def test_missing_file_is_none(tmp_path: Path) -> None:
    assert read_text(tmp_path / "nothing") is None


def test_copies_set_aside_never_replace_one_another(tmp_path: Path) -> None:
    place = tmp_path / "key"
    copies = []
    for text in ("first", "second", "third"):
        write_atomically(place, text)
        copies.append(set_aside(place))
    assert [copy.read_text() for copy in copies] == ["first", "second", "third"]


def test_being_alone_ends_with_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with alone_in(tmp_path / "folder"):
            pass
