import asyncio
from contextlib import suppress

from moltnet.domain.errors import StorageLost, StorageUnavailable, Unavailable
from moltnet.domain.services.maintenance import ReadinessService


class Part:
    """Answers what it is told to, and counts how often it was asked."""

    def __init__(self, error=None):
        self.error = error
        self.asked = 0
        self.answered = asyncio.Event()

    async def check(self):
        self.asked += 1
        self.answered.set()
        if self.error is not None:
            raise self.error


class Silent:
    async def check(self):
        await asyncio.Event().wait()


def service_over(**parts):
    return ReadinessService(parts, every_s=0.001, within_s=0.01, rest_s=0.001)


async def until(holds):
    async with asyncio.timeout(20):
        while True:
            if holds():
                return
            await asyncio.sleep(0)


async def watched(service, holds):
    watching = asyncio.create_task(service.watch())
    try:
        await until(holds)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def test_parts_are_ready_until_they_say_otherwise():
    assert service_over(database=Part(StorageUnavailable())).now().reasons == ()


async def test_reason_is_reported_and_goes_with_its_cause():
    part = Part(StorageUnavailable("It is away"))
    service = service_over(database=part, workflows=Part())
    await watched(service, lambda: service.now().reasons == ("It is away",))
    part.error = None
    await watched(service, lambda: service.now().reasons == ())


async def test_one_cause_of_several_parts_is_reported_once():
    service = service_over(database=Part(Unavailable("Away")), workflows=Part(Unavailable("Away")))
    await watched(service, lambda: all(service.now().parts.values()))
    assert service.now().reasons == ("Away",)


async def test_part_that_does_not_answer_is_not_ready_and_holds_nobody_up():
    part = Part()
    service = service_over(database=Silent(), workflows=part)
    await watched(service, lambda: bool(service.now().reasons) and part.asked > 3)
    assert service.now().reasons == ("The database has not answered for some seconds",)


async def test_loss_is_reported_to_all_that_wait_for_it():
    lost = StorageLost("Gone")
    service = service_over(database=Part(lost))
    waiting = asyncio.create_task(service.lost())
    await watched(service, waiting.done)
    assert waiting.result() is lost


async def test_part_that_works_is_asked_again_when_somebody_wants_to_know():
    part = Part()
    service = ReadinessService({"database": part}, every_s=0, rest_s=3600)
    watching = asyncio.create_task(service.watch())
    await until(lambda: part.asked == 1)
    for _ in range(100):
        await asyncio.sleep(0)
    part.error = StorageUnavailable("It is away")
    assert service.now().reasons == ()
    assert (await service.fresh()).reasons == ("It is away",)
    watching.cancel()


async def test_who_wants_to_know_does_not_wait_for_a_part_that_is_silent():
    service = ReadinessService({"database": Silent()}, every_s=0)
    watching = asyncio.create_task(service.watch())
    assert (await service.fresh()).reasons == ()
    watching.cancel()
