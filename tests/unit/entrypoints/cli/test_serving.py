"""How a server process is told to end, at its start and later."""

import asyncio
import os
import resource
import signal
from collections.abc import Iterator

import pytest

from moltnet.entrypoints.cli import serving
from moltnet.entrypoints.cli.ending import Ending, run_server
from moltnet.entrypoints.cli.serving import ENOUGH, raise_descriptor_limit
from moltnet.entrypoints.settings import Settings


async def test_start_is_given_up_once_when_the_end_is_asked_for():
    cleaned_up = asyncio.Event()
    endings: list[Ending] = []

    async def start() -> None:
        endings.append(Ending())
        try:
            await asyncio.Event().wait()
        finally:
            endings[0].ask()  # asking again must not interrupt the cleaning up
            await asyncio.sleep(0)
            cleaned_up.set()

    starting = asyncio.create_task(start())
    await asyncio.sleep(0)
    endings[0].ask()
    assert await asyncio.wait([starting]) == ({starting}, set())
    assert starting.cancelled()
    assert cleaned_up.is_set()
    assert endings[0].asked.is_set()


async def test_server_that_has_started_is_asked_and_not_interrupted():
    async def serve() -> str:
        ending = Ending()
        ending.started()
        ending.ask()
        await ending.asked.wait()
        return "drained"

    assert await asyncio.create_task(serve()) == "drained"


@pytest.fixture
def own_handlers() -> Iterator[None]:
    """Signals of this process are handled afterwards as before: a server leaves its own handlers in place."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_handlers")
def test_signals_end_it_and_an_end_at_the_start_is_no_error():
    for number in (signal.SIGTERM, signal.SIGINT):
        reached: list[str] = []
        run_server(_start(number, reached))
        assert reached == ["started", "cleaned up"]


async def _start(number: signal.Signals, reached: list[str]) -> None:
    Ending.on_signals()
    try:
        reached.append("started")
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()
        reached.append("never")
    finally:
        reached.append("cleaned up")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://net.example.org", "https://net.example.org"),
        ("https://net.example.org/moltnet", "https://net.example.org"),
    ],
)
def test_the_networks_own_pages_have_the_origin_of_its_address(url, origin):
    assert serving._origin(url) == origin


def test_as_many_files_may_be_open_as_the_system_allows():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, limits[0]), limits[1]))
    try:
        allowed = raise_descriptor_limit()
        assert allowed == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert allowed == (ENOUGH if limits[1] == resource.RLIM_INFINITY else min(limits[1], ENOUGH))
        assert raise_descriptor_limit() == allowed
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize(
    ("listens", "public_url", "known"),
    [
        ("127.0.0.1", None, set()),
        ("127.0.0.2", None, {"127.0.0.2"}),
        ("::1", None, set()),
        ("127.0.0.1", "https://Net.example.org:8443/x", {"net.example.org"}),
        ("127.0.0.1", "https://api.example.org", {"api.example.org", "mcp.example.org"}),
        ("0.0.0.0", "https://net.example.org", None),
        ("::", None, None),
        ("192.0.2.1", None, None),
    ],
)
def test_a_server_on_loopback_knows_its_names(tmp_path, listens, public_url, known):
    settings = Settings(
        data_dir=tmp_path,
        recovery_secret=b"r" * 32,
        ory_action_api_key="k" * 32,
        public_url=public_url,
        allowed_hosts=frozenset({"more.test"}),
    )
    names = serving.served_hosts(settings, settings.url(8000, listens), listens)
    assert names == (None if known is None else {"localhost", "127.0.0.1", "[::1]", "more.test"} | known)
