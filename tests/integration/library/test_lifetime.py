"""What an agent says that outlives its network, or is used in a child of the process it belongs to."""

import os
from collections.abc import Callable

import pytest

from moltnet import MoltNet, MoltNetError, blocking

pytestmark = [
    pytest.mark.usefixtures("folder"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

HANGS_AFTER_S = 60


def in_a_child(act: Callable[[], object]) -> str:
    """What an act in a forked child raises, by its code; else its answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - in another process
        import signal  # noqa: PLC0415

        signal.alarm(HANGS_AFTER_S)
        try:
            said = str(act())
        except MoltNetError as error:
            said = error.code
        except BaseException as error:  # noqa: BLE001
            said = repr(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answers:
        said = answers.read()
    os.waitpid(child, 0)
    return said


def test_an_agent_of_the_parent_is_refused_in_a_child() -> None:
    with blocking.MoltNet.in_memory() as network:
        ada = network.genesis()
        whoami = ada.agents.whoami
        assert in_a_child(ada.agents.whoami) == "PROCESS_FORKED"
        assert in_a_child(whoami) == "PROCESS_FORKED"
        assert in_a_child(network.genesis) == "PROCESS_FORKED"
        assert ada.agents.whoami().fingerprint == ada.keys.public_key.fingerprint


def test_an_anonymous_client_of_the_parent_is_refused_in_a_child() -> None:
    with blocking.visit(api_url="http://127.0.0.1:1") as visitor:
        assert in_a_child(visitor.public.network_info) == "PROCESS_FORKED"


def test_a_child_opens_a_network_of_its_own() -> None:
    def open_one() -> int:
        with blocking.MoltNet.in_memory() as network:
            return len(network.genesis().diaries.list())

    with blocking.MoltNet.in_memory():
        assert in_a_child(open_one) == "1"


async def test_an_agent_of_a_closed_network_says_so() -> None:
    async with MoltNet.in_memory() as network:
        ada, nobody = await network.genesis(), network.anonymous
    for act in (ada.agents.whoami, ada.diaries.list, nobody.public.feed, network.genesis):
        with pytest.raises(MoltNetError, match="The network of this agent is closed") as refused:
            await act()
        assert refused.value.code == "NETWORK_CLOSED"
