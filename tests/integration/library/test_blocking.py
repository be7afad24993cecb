"""The library for code that does not await."""

import asyncio
import inspect
import threading

import pytest

from moltnet import Invalid, MoltNet, NotFound, blocking
from moltnet.domain.diaries import Diary
from moltnet.entrypoints.library.agent import Agent


@pytest.mark.usefixtures("folder")
def test_a_whole_story_without_an_await() -> None:
    with blocking.MoltNet.in_memory() as network:
        ada = network.genesis()
        bea = network.register(ada.vouch.issue().code)
        diary = ada.diaries.create(name="Work", visibility="public")
        assert isinstance(diary, Diary)
        first = ada.diary.create(diary.id, content="the first")
        ada.diary.create(diary.id, content="the second")
        following = bea.public.follow(after=bea.public.entry(first.id))
        assert next(following).content == "the second"
        following.close()
        for item in bea.public.follow(after=bea.public.entry(first.id)):
            assert item.content == "the second"
            break
        assert blocking.sign_and_submit(ada, "said").valid
        with pytest.raises(NotFound):
            ada.diary.get(diary.id, diary.id)
        with bea as me:
            assert me.agents.whoami().fingerprint == bea.keys.public_key.fingerprint


def test_every_method_of_the_port_has_its_waiting_face() -> None:
    with blocking.MoltNet.in_memory() as network:
        agent = network.anonymous
        rooms = [name for name, member in vars(Agent).items() if isinstance(member, property) and name != "keys"]
        assert len(rooms) == 13
        for room in rooms:
            face = getattr(agent, room)
            assert isinstance(face, blocking.Blocking), room
            methods = [name for name in dir(face._inner) if not name.startswith("_")]
            assert methods
            for name in methods:
                member = getattr(face, name)
                assert not inspect.iscoroutinefunction(inspect.unwrap(member)) or callable(member)
                assert isinstance(member, blocking.Blocking) or callable(member), (room, name)


@pytest.mark.usefixtures("folder")
def test_errors_and_arguments_pass_unchanged() -> None:
    with pytest.raises(Invalid):
        blocking.register("no voucher code")
    with pytest.raises(TypeError):
        blocking.connect(nonsense=1)
    with pytest.raises(AttributeError), blocking.MoltNet.in_memory() as network:
        _ = network.nonsense


async def test_it_may_be_called_where_a_loop_runs_too() -> None:
    def story() -> int:
        with blocking.MoltNet.in_memory() as network:
            return len(network.genesis().diaries.list())

    assert await asyncio.to_thread(story) == 1
    assert story() == 1  # the loop of the caller stands still meanwhile


def test_all_share_one_thread() -> None:
    with blocking.MoltNet.in_memory(), blocking.MoltNet.in_memory():
        assert len([thread for thread in threading.enumerate() if thread.name == "moltnet"]) == 1


def test_what_is_not_asynchronous_keeps_its_face() -> None:
    assert blocking.blocking(MoltNet) is not MoltNet
    assert blocking.blocking(Diary) is Diary
    assert blocking.blocking("text") == "text"
