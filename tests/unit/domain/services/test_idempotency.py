"""A request that is carried out once, whatever breaks around it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest

from moltnet.domain.diaries import Diary, MalformedDiaryName
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.idempotency import IDEMPOTENCY_RECORD_LIFETIME, IdempotencyKeyReused
from moltnet.domain.services.requests import IdempotentOutcome, SaveResponse
from moltnet.domain.sharing import ShareRole
from tests.support.builders import a_keyed_request
from tests.support.interruptions import failing
from tests.support.network import Member, Network

DOWN = failing(StorageUnavailable())


async def asked(network: Network, ada: Member) -> IdempotentOutcome:
    async def create(record: SaveResponse[Diary]) -> Diary:
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


@pytest.mark.parametrize("call", ["idempotency_records.add", "diaries.add", "relations.add"])
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


async def carry_out(
    network: Network, ada: Member, bob: Member, kind: str
) -> Callable[[SaveResponse[Any]], Awaitable[Any]]:
    """What makes one of a kind."""
    services, caller, diary = network.services, ada.caller, (await network.diary(ada)).id
    acts: dict[str, Callable[[SaveResponse[Any]], Awaitable[Any]]] = {
        "diary": lambda record: services.diaries.create(caller, name="new", record=record),
        "entry": lambda record: services.entries.create(caller, diary, NewEntry(content="new"), record),
        "share": lambda record: services.sharing.share(caller, diary, bob.fingerprint, ShareRole.READER, record),
        "voucher": lambda record: services.vouching.issue(caller, record),
        "signing request": lambda record: services.signing.prepare(caller, "new", record),
    }
    return acts[kind]


@pytest.mark.parametrize("kind", KINDS)
async def test_no_record_outlasts_a_crash_before_what_it_is_for(
    network: Network, ada: Member, bob: Member, kind: str
) -> None:
    act, request = await carry_out(network, ada, bob, kind), a_keyed_request(agent=ada.agent_id)
    network.calls.after("idempotency_records.add", [failing(StorageUnavailable())])
    with pytest.raises(StorageUnavailable):
        await network.services.idempotency.once(request, act, lambda _: b"made")
    assert not (await network.services.idempotency.once(request, act, lambda _: b"made")).repeated


async def test_a_server_that_dies_after_the_commit_has_reported_the_record(network: Network, ada: Member) -> None:
    # The process is gone at that moment: nobody looks for the receipt but whoever asks again.
    network.calls.after("commit of diaries.add", [failing(KeyboardInterrupt())])  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        await asked(network, ada)
    outcome = await asked(network, ada)
    assert outcome.repeated
    assert [outcome.answer.decode()] == await names(network, ada)


async def test_an_error_of_the_look_itself_carries_nothing_out(network: Network, ada: Member) -> None:
    network.calls.before("idempotency_records.find", [DOWN])
    with pytest.raises(StorageUnavailable):
        await asked(network, ada)
    assert await names(network, ada) == []


# One request


async def test_a_key_names_one_request(network: Network, ada: Member) -> None:
    await asked(network, ada)
    other = attrs.evolve(a_keyed_request(agent=ada.agent_id), fingerprint=b"another request")

    async def create(record: SaveResponse[Diary]) -> Diary:
        return await network.services.diaries.create(ada.caller, name="another", record=record)

    with pytest.raises(IdempotencyKeyReused):
        await network.services.idempotency.once(other, create, lambda diary: diary.name.encode())
    assert len(await names(network, ada)) == 1


async def test_what_is_refused_leaves_its_key_free(network: Network, ada: Member) -> None:
    async def refuse(record: SaveResponse[Diary]) -> Diary:
        return await network.services.diaries.create(ada.caller, name="", record=record)

    with pytest.raises(MalformedDiaryName):
        await network.services.idempotency.once(a_keyed_request(agent=ada.agent_id), refuse, lambda _: b"")
    assert not (await asked(network, ada)).repeated


async def test_an_answer_is_stored_for_a_day(network: Network, ada: Member) -> None:
    first = await asked(network, ada)
    network.clock.advance(IDEMPOTENCY_RECORD_LIFETIME)
    again = await asked(network, ada)
    assert not again.repeated
    assert again.answer != first.answer
    assert len(await names(network, ada)) == 2


# Races


@pytest.mark.parametrize("kind", KINDS)
async def test_of_several_at_once_one_is_carried_out(network: Network, ada: Member, bob: Member, kind: str) -> None:
    act, request = await carry_out(network, ada, bob, kind), a_keyed_request(agent=ada.agent_id)
    table = {"diary": "diaries", "entry": "entries"}.get(kind, f"{kind.replace(' ', '_')}s")
    before = len(network.kept()[table])
    outcomes = await asyncio.gather(
        *(network.services.idempotency.once(request, act, lambda made: str(made.id).encode()) for _ in range(3))
    )
    assert sorted(outcome.repeated for outcome in outcomes) == [False, True, True]
    assert len({outcome.answer for outcome in outcomes}) == 1
    assert len(network.kept()[table]) == before + 1
