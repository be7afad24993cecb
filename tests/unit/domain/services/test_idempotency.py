"""A request that is carried out once, whatever breaks around it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from moltnet.domain.diaries import Diary
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.services.idempotency import Outcome, Recorder
from moltnet.domain.sharing import ShareRole
from tests.support.builders import a_keyed_request
from tests.support.interruptions import failing
from tests.support.network import Member, Network

DOWN = failing(StorageUnavailable())


async def asked(network: Network, ada: Member) -> Outcome:
    async def create(record: Recorder[Diary]) -> Diary:
        return await network.services.diaries.create(ada.caller, name="new", record=record)

    request = a_keyed_request(agent=ada.agent_id)
    return await network.services.idempotency.once(request, create, lambda diary: str(diary.id).encode())


async def names(network: Network, ada: Member) -> list[str]:
    return [str(diary.id) for diary in await network.services.diaries.mine(ada.caller)]


async def test_an_answer_that_is_lost_after_the_commit_is_given_all_the_same(network: Network, ada: Member) -> None:
    network.calls.after("commit of diaries.add", [DOWN])
    outcome = await asked(network, ada)
    assert outcome.repeated
    assert [outcome.answer.decode()] == await names(network, ada)
    assert await asked(network, ada) == outcome


@pytest.mark.parametrize("call", ["receipts.add", "diaries.add", "relations.add"])
async def test_a_crash_before_the_commit_leaves_nothing_and_may_be_repeated(
    network: Network, ada: Member, call: str
) -> None:
    network.calls.after(call, [DOWN])
    with pytest.raises(StorageUnavailable):
        await asked(network, ada)
    assert await names(network, ada) == []
    outcome = await asked(network, ada)
    assert not outcome.repeated
    assert [outcome.answer.decode()] == await names(network, ada)


KINDS = ("diary", "entry", "share", "voucher", "signing request")


async def carry_out(network: Network, ada: Member, bob: Member, kind: str) -> Callable[[Recorder[Any]], Awaitable[Any]]:
    """What makes one of a kind."""
    services, caller, diary = network.services, ada.caller, (await network.diary(ada)).id
    acts: dict[str, Callable[[Recorder[Any]], Awaitable[Any]]] = {
        "diary": lambda record: services.diaries.create(caller, name="new", record=record),
        "entry": lambda record: services.entries.create(caller, diary, NewEntry(content="new"), record),
        "share": lambda record: services.sharing.share(caller, diary, bob.fingerprint, ShareRole.READER, record),
        "voucher": lambda record: services.vouching.issue(caller, record),
        "signing request": lambda record: services.signing.prepare(caller, "new", record),
    }
    return acts[kind]


@pytest.mark.parametrize("kind", KINDS)
async def test_no_receipt_outlasts_a_crash_before_what_it_is_for(
    network: Network, ada: Member, bob: Member, kind: str
) -> None:
    act, request = await carry_out(network, ada, bob, kind), a_keyed_request(agent=ada.agent_id)
    network.calls.after("receipts.add", [failing(StorageUnavailable())])
    with pytest.raises(StorageUnavailable):
        await network.services.idempotency.once(request, act, lambda _: b"made")
    assert not (await network.services.idempotency.once(request, act, lambda _: b"made")).repeated


async def test_a_server_that_dies_after_the_commit_has_told_the_receipt(network: Network, ada: Member) -> None:
    # The process is gone at that moment: nobody looks for the receipt but whoever asks again.
    network.calls.after("commit of diaries.add", [failing(KeyboardInterrupt())])  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        await asked(network, ada)
    outcome = await asked(network, ada)
    assert outcome.repeated
    assert [outcome.answer.decode()] == await names(network, ada)


async def test_an_error_of_the_look_itself_carries_nothing_out(network: Network, ada: Member) -> None:
    network.calls.before("receipts.find", [DOWN])
    with pytest.raises(StorageUnavailable):
        await asked(network, ada)
    assert await names(network, ada) == []
