import tarfile
from pathlib import Path

import pytest

from moltnet.adapters.files import archive
from moltnet.adapters.files.archive import ArchiveDamaged, ArchiveExists, ArchiveUnusable


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with archive.written(tmp_path / "backup") as writer:
        writer.add("one", b"1")
        with writer.member("many") as write:
            for _ in range(3):
                write(b"m" * 1000)
    return tmp_path / "backup"


def verified(file: Path) -> int:
    sizes: list[int] = []
    archive.verify(file, sizes.append)
    return sum(sizes)


def test_members_are_what_was_written(file: Path) -> None:
    assert (archive.content(file, "one"), archive.content(file, "many")) == (b"1", b"m" * 3000)
    assert verified(file) == file.stat().st_size - archive.CHECKSUM_BYTES


def test_it_is_the_owners_alone_and_any_tar_unpacks_it(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as opened:
        assert [(each.name, each.size) for each in opened] == [("one", 1), ("many", 3000)]


def test_flipped_byte_anywhere_is_noticed(file: Path) -> None:
    whole = file.read_bytes()
    for at in (*range(0, len(whole), 61), *range(len(whole) - 8, len(whole))):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        with pytest.raises(ArchiveDamaged, match="checksum"):
            verified(file)


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_file_that_is_cut_is_noticed(file: Path, length: int) -> None:
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(ArchiveDamaged):
        verified(file)


def test_absent_member_and_absent_file(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveDamaged, match="has no two"):
        archive.content(file, "two")
    for ask in (verified, lambda path: archive.content(path, "one")):
        with pytest.raises(ArchiveUnusable, match="No such file"):
            ask(tmp_path / "absent")


def test_nothing_is_overwritten_and_a_failed_writing_leaves_nothing(file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(ArchiveExists), archive.written(file):
        pass
    with pytest.raises(ZeroDivisionError), archive.written(tmp_path / "failed"):
        1 / 0  # noqa: B018
    with pytest.raises(ArchiveUnusable), archive.written(tmp_path / "absent" / "x"):
        pass
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def test_name_that_is_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(ArchiveExists), archive.written(tmp_path / "x"):
        (tmp_path / "x").write_text("of another")
    assert (tmp_path / "x").read_text() == "of another"
