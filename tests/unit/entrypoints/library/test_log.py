"""A client of the open log: it keeps what it saw, and refuses a network that shows less of it or another one."""

from pathlib import Path

import pytest

from moltnet.domain.checkpoints import MalformedCheckpoint, VerifierKey
from moltnet.domain.errors import NotFound
from moltnet.domain.transparency import LogForked, LogRolledBack
from moltnet.entrypoints.container.remote import file_log_memory
from moltnet.entrypoints.library.log import HeadInMemory, Log
from moltnet.entrypoints.library.network import MoltNet
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import log as operations
from moltnet.ports.transparency import LogMemory
from tests.support.networks import embedded

URL = "https://net.example"


class Lying:
    """A transport that answers some operations with what it was made with, and forwards the rest."""

    def __init__(self, beneath: Transport, lies: dict[str, object]) -> None:
        self._beneath, self._lies = beneath, lies

    async def call(self, operation, request):
        lie = self._lies.get(operation.name)
        if isinstance(lie, Exception):
            raise lie
        return lie if lie is not None else await self._beneath.call(operation, request)


def lying(log: Log, **lies: object) -> Log:
    return Log(Lying(log._transport, {getattr(operations, name).name: lie for name, lie in lies.items()}), log._memory)  # type: ignore[arg-type]


async def grown(network: MoltNet, number: int) -> None:
    for _ in range(number):
        await network.genesis()
    while await network._services.transparency.extend():
        pass


@pytest.mark.parametrize("is_file", [True, False])
async def test_a_network_that_goes_back_or_shows_another_log_is_refused(tmp_path: Path, *, is_file: bool) -> None:
    memory: LogMemory = file_log_memory(tmp_path / "moltnet.json", URL) if is_file else HeadInMemory()
    async with embedded() as network, embedded() as other:
        log = Log((await network.genesis()).transport, memory)
        await grown(network, 2)
        first = await log.describe()
        before = await log.follow()
        await grown(network, 3)
        after = await log.follow()
        assert after.checkpoint.size > before.checkpoint.size
        assert memory.read() == after
        with pytest.raises(LogRolledBack):
            await lying(log, GROWTH=NotFound(), DESCRIBE=first).follow()
        with pytest.raises(LogForked):  # hashes that prove nothing of the head that was kept
            await lying(log, GROWTH=await log.growth(1)).follow()
        with pytest.raises(LogForked):
            await Log(other.anonymous.transport, memory).follow()
        assert memory.read() == after
        log.forget()
        elsewhere = await Log(other.anonymous.transport, memory).follow()
        assert elsewhere.key != after.key


async def test_a_witness_that_has_not_signed_is_missed(tmp_path: Path) -> None:
    del tmp_path
    async with embedded() as network:
        key = (await network.anonymous.log.follow()).key
        witness = VerifierKey(name="witness.example", kind=4, key=key.key)
        with pytest.raises(LogForked, match=r"witness\.example"):
            await network.anonymous.log.follow(witnesses=[witness])


async def test_heads_of_several_networks_are_kept_beside_one_another(tmp_path: Path) -> None:
    credentials = tmp_path / "moltnet.json"
    one, two = file_log_memory(credentials, URL), file_log_memory(credentials, "https://other.example")
    assert (one.read(), two.read()) == (None, None)
    async with embedded() as network:
        await grown(network, 1)
        early = await network.anonymous.log.follow()
        await grown(network, 2)
        late = await network.anonymous.log.follow()
    one.keep(late)
    two.keep(early)
    one.keep(early)  # by a process that is behind
    assert (one.read(), two.read()) == (late, early)
    assert (tmp_path / "moltnet.checkpoints.json").stat().st_mode & 0o077 == 0
    one.forget()
    one.forget()
    assert (one.read(), two.read()) == (None, early)
    for text in ("[]", "{", '{"x": 1}'):
        (tmp_path / "moltnet.checkpoints.json").write_text(text)
        with pytest.raises(MalformedCheckpoint):
            one.read()
