"""The port `WebSessions`."""

from datetime import timedelta
from uuid import uuid4

import attrs
import pytest

from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.credentials import Scope
from moltnet.domain.ids import AgentId, ClientId, WebSessionId
from moltnet.domain.web_sessions import IDLE, SignInMethod, WebSession
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_agent
from tests.support.stored import joined

SECOND = timedelta(seconds=1)


def a_session(agent: Agent, seconds: int = 0) -> WebSession:
    return WebSession(
        id=WebSessionId(uuid4()),
        token_hash=uuid4().bytes,
        agent_id=agent.id,
        client_id=ClientId(uuid4()),
        generation=3,
        scopes=frozenset({Scope.DIARY_READ, Scope.CRYPTO_SIGN}),
        method=SignInMethod.KEY,
        device="Firefox",
        created_at=NOON + seconds * SECOND,
        used_at=NOON + seconds * SECOND,
    )


async def begun(storage: Storage, *sessions: WebSession, most: int = 9) -> None:
    for session in sessions:
        async with storage.transaction() as work:
            await work.web_sessions.add(session, most=most)


async def ids(storage: Storage, agent: Agent) -> list[WebSessionId]:
    async with storage.autocommit() as work:
        return [session.id for session in await work.web_sessions.of_agent(agent.id, NOON)]


async def test_a_session_is_found_by_its_token_until_it_is_over(storage: Storage, agent: Agent) -> None:
    session = a_session(agent)
    await begun(storage, session)
    async with storage.autocommit() as work:
        assert await work.web_sessions.find(session.token_hash, session.expires_at - SECOND) == session
        assert await work.web_sessions.find(session.token_hash, session.expires_at) is None
        assert await work.web_sessions.find(b"another", NOON) is None


async def test_a_session_of_nobody_is_refused(storage: Storage) -> None:
    with pytest.raises(ProfileNotFound):
        await begun(storage, a_session(an_agent()))


async def test_an_agents_sessions_are_listed_by_use_and_nobody_elses(storage: Storage, agent: Agent) -> None:
    first, second = a_session(agent), a_session(agent, 1)
    await begun(storage, first, second, a_session(await joined(storage), 2))
    assert await ids(storage, agent) == [second.id, first.id]
    used = attrs.evolve(first, used_at=NOON + 5 * SECOND, generation=4, expires_at=NOON + IDLE + 5 * SECOND)
    async with storage.autocommit() as work:
        await work.web_sessions.put(used)
        assert await work.web_sessions.find(first.token_hash, NOON) == used
    assert await ids(storage, agent) == [first.id, second.id]


async def test_one_too_many_ends_the_oldest(storage: Storage, agent: Agent) -> None:
    sessions = [a_session(agent, seconds) for seconds in (2, 0, 1, 3)]
    await begun(storage, *sessions, most=3)
    assert await ids(storage, agent) == [sessions[3].id, sessions[0].id, sessions[2].id]


async def test_only_the_agent_itself_ends_a_session_and_it_stays_ended(storage: Storage, agent: Agent) -> None:
    session = a_session(agent)
    await begun(storage, session)
    async with storage.autocommit() as work:
        assert not await work.web_sessions.end(AgentId(uuid4()), session.id)
        assert await work.web_sessions.end(agent.id, session.id)
        assert not await work.web_sessions.end(agent.id, session.id)
        await work.web_sessions.put(session)
    assert await ids(storage, agent) == []


async def test_sessions_that_are_over_are_forgotten(storage: Storage, agent: Agent) -> None:
    await begun(storage, a_session(agent), a_session(agent, 1))
    async with storage.autocommit() as work:
        assert await work.web_sessions.purge(NOON + IDLE) == 0
        assert await work.web_sessions.purge(NOON + IDLE + SECOND) == 1


async def test_sessions_go_with_their_agent(storage: Storage, agent: Agent) -> None:
    session = a_session(agent)
    await begun(storage, session)
    async with storage.transaction() as work:
        await work.agents.remove(agent.id)
    async with storage.autocommit() as work:
        assert await work.web_sessions.find(session.token_hash, NOON) is None
