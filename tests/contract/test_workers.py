"""The port `Workers`."""

from collections.abc import Iterator

import pytest

from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.adapters.system import ThreadWorkers
from moltnet.ports.system import Workers

SIZES = (0, 1, 1_000, 1_000_000)


@pytest.fixture(params=["memory", "threads"])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    if request.param == "memory":
        yield MemoryWorkers()
        return
    threads = ThreadWorkers()
    yield threads
    threads.close()


@pytest.mark.parametrize("size", SIZES)
async def test_what_a_computation_returns_is_returned(workers: Workers, size: int):
    assert await workers.run(lambda: size + 1, size) == size + 1


@pytest.mark.parametrize("size", SIZES)
async def test_what_a_computation_raises_is_raised(workers: Workers, size: int):
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await workers.run(fail, size)
