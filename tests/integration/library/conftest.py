"""A network in memory behind a real socket, and an agent's own folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moltnet.entrypoints.container.remote import file_keyring
from moltnet.ports.keys import Keyring
from tests.support.networks import in_memory
from tests.support.worlds import Served, served


@pytest.fixture
async def network() -> AsyncIterator[Served]:
    async with served(in_memory()) as network:
        yield network


@pytest.fixture
async def voucher(network: Served) -> str:
    """A code that lets somebody in."""
    founder = await network.network.genesis()
    return (await founder.vouch.issue()).code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an agent keeps what is its own; nothing of the environment's is left."""
    for name in ("CLIENT_ID", "CLIENT_SECRET", "API_URL", "CREDENTIALS_PATH", "PRIVATE_KEY"):
        monkeypatch.delenv(f"MOLTNET_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".config" / "moltnet"


@pytest.fixture
def keyring(folder: Path) -> Keyring:
    """The keyring of that folder."""
    return file_keyring(folder / "moltnet.json")
