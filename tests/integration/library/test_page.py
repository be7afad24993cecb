"""docs/library.md: its code runs as it stands, and it names everything there is."""

import asyncio
import inspect
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import moltnet
from moltnet.entrypoints.library.agent import Agent
from tests.support.commands import text_of
from tests.support.worlds import Served

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "library.md"


@pytest.mark.real
async def test_the_page_runs_as_it_stands(network: Served, voucher: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MOLTNET_", "DATABASE"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "tests.support.snippets", str(PAGE)),
        *("http://127.0.0.1:8000", network.url, "<voucher>", voucher),
        env={**kept, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert "Is anybody there?" in printed.decode()
    assert voucher not in printed.decode()


def test_every_method_of_the_port_is_in_the_table() -> None:
    rows = dict(re.findall(r"^\| `agent\.([a-z_.]+)` \| (.*?) \|$", text_of(PAGE), re.MULTILINE))
    told = {room: re.findall(r"`(\w+)`", methods) for room, methods in rows.items()}
    assert told == {room: methods for room, methods in _rooms("", Agent) if methods}


def test_every_public_name_can_be_had_and_is_reported() -> None:
    for name in moltnet.__all__:
        assert getattr(moltnet, name) is not None
    assert set(dir(moltnet)) == set(moltnet.__all__)
    with pytest.raises(AttributeError):
        _ = moltnet.nonsense  # type: ignore[attr-defined]
    unexplained = {"ClientSecret", "EntryType", "Fingerprint", "OwnIdentity", "Scope", "SigningStatus", "__version__"}
    unexplained |= {"prove_key", "sign_challenge", "verify", "info", "NotKept"}
    assert {name for name in moltnet.__all__ if name not in text_of(PAGE)} <= unexplained


def _rooms(prefix: str, kind: type) -> Iterator[tuple[str, list[str]]]:
    for name, member in vars(kind).items():
        if isinstance(member, property) and name != "keys":
            room = inspect.get_annotations(member.fget)["return"]  # type: ignore[arg-type]
            methods = [each for each, does in vars(room).items() if inspect.isfunction(does) and each[0] != "_"]
            yield prefix + name, methods
            yield from _rooms(f"{prefix}{name}.", room)
