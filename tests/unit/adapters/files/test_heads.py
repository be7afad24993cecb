from pathlib import Path

import pytest

from moltnet.adapters.files.log_memory import HeadsFile
from moltnet.domain.ids import DiaryId
from moltnet.domain.records import Head
from tests.support.builders import an_id

DIARY, OTHER = DiaryId(an_id()), DiaryId(an_id())
FIRST, SECOND = Head(sequence=1, hash="a" * 64), Head(sequence=2, hash="b" * 64)


@pytest.fixture
def heads(tmp_path: Path) -> HeadsFile:
    return HeadsFile(tmp_path / "moltnet" / "moltnet.heads.json")


def test_heads_are_read_as_they_were_stored(heads: HeadsFile) -> None:
    assert heads.read() == {}
    heads.store({DIARY: FIRST})
    heads.store({OTHER: SECOND})
    assert heads.read() == {DIARY: FIRST, OTHER: SECOND}
    assert heads.path.stat().st_mode & 0o777 == 0o600


def test_later_head_stays(heads: HeadsFile) -> None:
    heads.store({DIARY: SECOND})
    heads.store({DIARY: FIRST})
    assert heads.read() == {DIARY: SECOND}


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"x": {}}', '{"x": {"sequence": 1, "hash": "a"}}', "[" * 10_000])
def test_file_that_cannot_be_read_is_begun_anew(heads: HeadsFile, text: str) -> None:
    heads.store({DIARY: FIRST})
    heads.path.write_text(text)
    assert heads.read() == {}
    heads.store({DIARY: FIRST})
    assert heads.read() == {DIARY: FIRST}
