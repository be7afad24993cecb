"""The port `AuditLog`, and which acts are recorded."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from moltnet.domain.audit import AUDIT_RETENTION_DAYS_MIN, AuditAction, AuditEvent
from moltnet.domain.constraints import LARGEST_PAGE, Page
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.ports.storage import Storage
from tests.support.builders import NOON

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
YOUNGEST_REMOVED = timedelta(days=AUDIT_RETENTION_DAYS_MIN + 1)


def an_event(actor: AgentId, action: AuditAction = AuditAction.SHARE_OFFERED, **more: object) -> AuditEvent:
    members = {"at": NOON, "action": action, "actor_id": actor, "address": "192.0.2.7", "detail": "reader", **more}
    return AuditEvent(**members)  # type: ignore[arg-type]


async def stored(storage: Storage, *events: AuditEvent) -> None:
    for event in events:
        async with storage.transaction() as work:
            await work.audit.add(event)


async def of(storage: Storage, agent_id: AgentId, page: Page = LARGEST_PAGE) -> list[AuditEvent]:
    async with storage.snapshot() as work:
        return await work.audit.of_agent(agent_id, page)


async def test_an_agents_events_are_those_it_acts_in_and_those_that_concern_it(storage: Storage) -> None:
    ada, bob, eve = (AgentId(uuid4()) for _ in range(3))
    shared = an_event(ada, subject_id=bob, diary_id=DiaryId(uuid4()))
    opened = an_event(ada, AuditAction.VISIBILITY_CHANGED, detail="public")
    await stored(storage, shared, opened, an_event(eve))
    assert await of(storage, ada) == [opened, shared]
    assert await of(storage, bob) == [shared]
    assert await of(storage, ada, Page(1, 1)) == [shared]
    assert await of(storage, AgentId(uuid4())) == []


async def test_members_that_are_not_known_stay_so(storage: Storage) -> None:
    ada = AgentId(uuid4())
    bare = AuditEvent(at=NOON, action=AuditAction.SECRET_REPLACED, actor_id=ada)
    await stored(storage, bare)
    assert await of(storage, ada) == [bare]


async def test_the_log_is_read_on_from_a_number(storage: Storage) -> None:
    ada = AgentId(uuid4())
    events = [an_event(ada, at=NOON + timedelta(days=day), detail=str(day)) for day in range(4)]
    await stored(storage, *events)
    first, *_ = (await of(storage, ada))[::-1]
    async with storage.autocommit() as work:
        assert await work.audit.after(first.number, 2) == events[1:3]
        assert await work.audit.after(first.number - 1, 9, since=events[2].at) == events[2:]


async def test_what_is_undone_is_not_recorded(storage: Storage) -> None:
    ada = AgentId(uuid4())
    with suppress(ZeroDivisionError):
        async with storage.transaction() as work:
            await work.audit.add(an_event(ada))
            raise ZeroDivisionError
    assert await of(storage, ada) == []


async def test_old_events_are_removed_and_no_others(storage: Storage) -> None:
    ada, now = AgentId(uuid4()), datetime.now(UTC)
    old, young = an_event(ada, at=LONG_AGO), an_event(ada, at=now)
    await stored(storage, old, young)
    async with storage.autocommit() as work:
        assert await work.audit.purge(now - YOUNGEST_REMOVED) >= 1
    assert await of(storage, ada) == [young]
