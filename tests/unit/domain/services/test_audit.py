"""Who sees what of the audit log."""

from datetime import timedelta

import attrs
import pytest

from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.caller import Anonymous
from moltnet.domain.constraints import Page
from moltnet.domain.services import audit
from tests.support.builders import NOON
from tests.support.network import Member, Network

DAY = timedelta(days=1)
FROM_ADA, FROM_BOB = "192.0.2.7", "198.51.100.9"


async def stored(network: Network, *events: AuditEvent) -> None:
    async with network.storage.transaction() as work:
        for event in events:
            await work.audit.add(event)


async def test_from_where_others_acted_is_not_reported(network: Network, ada: Member, bob: Member, eve: Member) -> None:
    by_ada = attrs.evolve(ada.caller, address=FROM_ADA)
    by_bob = attrs.evolve(bob.caller, address=FROM_BOB)
    shared = AuditEvent.by(by_ada, AuditAction.SHARE_OFFERED, NOON, subject_id=bob.agent_id, detail="reader")
    accepted = AuditEvent.by(by_bob, AuditAction.SHARE_ACCEPTED, NOON, subject_id=ada.agent_id)
    await stored(network, shared, accepted)
    assert (shared.address, accepted.address) == (FROM_ADA, FROM_BOB)
    of_caller = network.services.audit.of_caller
    assert await of_caller(ada.caller, Page(10)) == [attrs.evolve(accepted, address=None), shared]
    assert await of_caller(bob.caller, Page(10)) == [accepted, attrs.evolve(shared, address=None)]
    assert await of_caller(ada.caller, Page(1, 1)) == [shared]
    assert await of_caller(eve.caller, Page(10)) == []


async def test_an_act_of_nobody_in_particular_has_no_actor() -> None:
    event = AuditEvent.by(Anonymous(FROM_ADA), AuditAction.SECRET_REPLACED, NOON)
    assert (event.actor_id, event.address) == (None, FROM_ADA)
    assert AuditEvent.by(Anonymous(), AuditAction.SECRET_REPLACED, NOON).address is None


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
async def test_an_operator_reads_everything_oldest_first(
    network: Network, ada: Member, bob: Member, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "READ_AT_ONCE", 2)
    events = [
        AuditEvent.by(attrs.evolve(who.caller, address=FROM_ADA), AuditAction.DIARY_CREATED, NOON + day * DAY)
        for day, who in zip(range(count), (ada, bob, ada, bob, ada), strict=False)
    ]
    await stored(network, *events)
    service = network.services.audit
    assert [event async for event in service.all()] == events
    assert [event async for event in service.all(since=NOON + DAY)] == events[1:]
    assert [event async for event in service.all(since=NOON + 9 * DAY)] == []
