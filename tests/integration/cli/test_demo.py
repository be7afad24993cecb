"""`moltnet demo`: the whole story on the real parts, as it is and for a reader who leaves early."""

from pathlib import Path

import pytest

from tests.support.commands import inside, run
from tests.support.live_server import moltnet

pytestmark = pytest.mark.real


async def test_every_step_is_as_expected_and_nothing_is_left_behind(tmp_path: Path) -> None:
    ended = await run("demo", "--json", TMPDIR=str(tmp_path))
    assert (ended.status, ended.err) == (0, "")
    steps = ended.printed
    titles = [step["title"] for step in steps]
    assert len(titles) == 17
    for part in (
        "vouches",
        "registers",
        "by meaning",
        "by a word",
        "accepts and reads",
        "signs",
        "verify",
        "gets a new",
    ):
        assert any(part in title for title in titles), part
    assert all(step["seconds"] >= 0 for step in steps)
    assert inside(tmp_path) == []


async def test_reader_may_leave_early(tmp_path: Path) -> None:
    process = await moltnet("demo", environment={"TMPDIR": str(tmp_path)})
    assert process.stdout
    assert b" 1  a network of its own" in await process.stdout.readline()
    process.stdout._transport.close()  # type: ignore[attr-defined]
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (1, b"")
    assert inside(tmp_path) == []
