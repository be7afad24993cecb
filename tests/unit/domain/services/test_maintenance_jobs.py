"""What time alone makes obsolete."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from moltnet.domain.caller import ANONYMOUS, Tier
from moltnet.domain.constraints import Page
from moltnet.domain.idempotency import IDEMPOTENCY_RECORD_LIFETIME, IdempotencyRecord, IdempotentRequest
from moltnet.domain.recovery import CODE_LIFETIME, FLOW_LIFETIME, FlowNotFound, FlowOver
from moltnet.domain.services.maintenance import BATCH, Retention
from moltnet.domain.signing import SIGNING_LIFETIME, SigningStatus
from tests.support.builders import NOON, a_signing_request
from tests.support.network import Member, Network
from tests.support.usecases import tidied

DATE_TIME = timedelta(microseconds=1)
EXPIRED = frozenset({SigningStatus.EXPIRED})


async def after(time: timedelta, network: Network) -> None:
    network.clock.set(NOON + time)
    await tidied(network.services)


async def test_requests_expire_when_their_time_is_over_and_not_before(network: Network, ada: Member) -> None:
    request = await network.services.signing.prepare(ada.caller, "m")
    done = await network.services.signing.prepare(ada.caller, "m")
    await network.services.signing.submit(ada.caller, done.id, ada.key.sign(done.framed))
    await after(SIGNING_LIFETIME - DATE_TIME, network)
    assert (await network.services.signing.get(ada.caller, request.id)).status is SigningStatus.PENDING
    await after(SIGNING_LIFETIME, network)
    expired = await network.services.signing.get(ada.caller, request.id)
    assert (expired.status, expired.valid, expired.completed_at) == (
        SigningStatus.EXPIRED,
        None,
        NOON + SIGNING_LIFETIME,
    )
    assert (await network.services.signing.get(ada.caller, done.id)).status is SigningStatus.COMPLETED


@pytest.mark.parametrize("count", [BATCH, BATCH + 1])
async def test_more_than_a_batch_is_tidied_in_one_run(network: Network, ada: Member, count: int) -> None:
    async with network.storage.transaction() as work:
        for _ in range(count):
            await work.signing_requests.add(a_signing_request(agent=ada.agent_id))
    await after(SIGNING_LIFETIME, network)
    _, expired = await network.services.signing.list(ada.caller, EXPIRED, Page(1))
    assert expired == count
    assert network.calls.log.count("signing_requests.overdue") == 2


async def test_a_request_that_is_settled_meanwhile_stays_as_it_is(network: Network, ada: Member) -> None:
    request = await network.services.signing.prepare(ada.caller, "m")
    done = request.complete("wrong", None, NOON)

    async def another_is_first() -> None:
        assert await network.storage.work.signing_requests.complete(done)

    network.calls.before("signing_requests.complete", [another_is_first])
    await after(SIGNING_LIFETIME, network)
    assert await network.services.signing.get(ada.caller, request.id) == done


async def test_used_nonces_are_forgotten_when_they_cannot_come_again(network: Network) -> None:
    async with network.storage.autocommit() as work:
        await work.nonces.use("nonce", NOON)
        await after(timedelta(), network)
        assert not await work.nonces.use("nonce", NOON)
        await after(DATE_TIME, network)
        assert await work.nonces.use("nonce", NOON)


async def test_a_code_is_stored_as_long_as_its_flow(network: Network, ada: Member) -> None:
    recovery = await network.identities.begin_recovery(ada.agent_id)
    (flow,) = parse_qs(urlsplit(recovery.flow_url).query)["flow"]
    await after(CODE_LIFETIME + DATE_TIME, network)
    assert (await network.services.recovery.answer_flow(flow, recovery.code)).session_token is None
    await after(FLOW_LIFETIME, network)
    with pytest.raises(FlowOver):
        await network.services.recovery.answer_flow(flow, recovery.code)
    await after(FLOW_LIFETIME + DATE_TIME, network)
    with pytest.raises(FlowNotFound):
        await network.services.recovery.answer_flow(flow, recovery.code)


async def test_records_are_forgotten_after_a_day(network: Network, ada: Member) -> None:
    request = IdempotentRequest(agent_id=ada.agent_id, operation="create", key="k", fingerprint=b"f")
    async with network.storage.autocommit() as work:
        await work.idempotency_records.add(IdempotencyRecord.of(request, b"answer", NOON))
        await after(IDEMPOTENCY_RECORD_LIFETIME - DATE_TIME, network)
        assert await work.idempotency_records.find(request, NOON)
        await after(IDEMPOTENCY_RECORD_LIFETIME, network)
        assert await work.idempotency_records.find(request, NOON) is None


async def test_counts_of_past_minutes_are_forgotten(network: Network) -> None:
    for address in ("10.0.0.1", "10.0.0.2"):
        await network.services.throttling.count(Tier.SIGNING, "sign", ANONYMOUS, address)
    await after(timedelta(seconds=60), network)
    assert await network.services.maintenance.limits.forget_ended() == 0


async def test_counts_go_on_within_their_minute(network: Network) -> None:
    async def remaining() -> int:
        return (await network.services.throttling.count(Tier.SIGNING, "sign", ANONYMOUS, "10.0.0.1")).remaining

    first = await remaining()
    await after(timedelta(seconds=59), network)
    assert await remaining() == first - 1
    await after(timedelta(seconds=60), network)
    assert await remaining() == first


async def test_an_empty_network_is_tidy(network: Network) -> None:
    await tidied(network.services)
    await tidied(network.services)


async def test_old_signing_requests_are_forgotten_where_the_operator_says_so(network: Network, ada: Member) -> None:
    request = await network.services.signing.prepare(ada.caller, "pay 3 herons")
    await after(SIGNING_LIFETIME, network)
    network.clock.advance(timedelta(days=3))
    for days, is_known in ((None, True), (4, True), (2, False)):
        retention = Retention(signing_requests=timedelta(days=days) if days else None)
        maintenance = attrs.evolve(network.services.maintenance, retention=retention)
        (job,) = (each for each in maintenance.jobs() if each.name == "forget-signing-requests")
        assert await job.batch() is False
        async with network.storage.snapshot() as work:
            assert (await work.signing_requests.find(request.id) is not None) == is_known
