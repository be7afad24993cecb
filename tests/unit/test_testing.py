"""The pytest plugin for programs that embed MoltNet, used as its page says."""

from datetime import timedelta

import pytest

from moltnet import NetworkError
from moltnet.testing import START, outage

pytest_plugins = ["pytester"]

PROGRAM = """
    from datetime import timedelta

    import pytest

    {mark}
    async def test_remembers(moltnet_agent, moltnet_clock):
        diary, *_ = await moltnet_agent.diaries.list()
        moltnet_clock.advance(timedelta(days=7))
        entry = await moltnet_agent.diary.create(diary.id, content="A week later")
        assert (entry.created_at - diary.created_at).days == 7
"""


async def test_the_network_begins_at_start_and_nobody_else_is_in_it(moltnet_network, moltnet_agent):
    (diary,) = await moltnet_agent.diaries.list()
    assert abs(diary.created_at - START) < timedelta(seconds=1)
    assert await moltnet_network.anonymous.vouch.trust_graph() == []


async def test_time_is_what_the_clock_shows(moltnet_agent, moltnet_clock):
    await moltnet_agent.vouch.issue()
    assert len(await moltnet_agent.vouch.list_active()) == 1
    moltnet_clock.advance(timedelta(hours=25))
    assert await moltnet_agent.vouch.list_active() == []


async def test_further_agents_are_others(moltnet_agent, moltnet_new_agent):
    other = await moltnet_new_agent()
    mine, theirs = [(await each.agents.whoami()).fingerprint for each in (moltnet_agent, other)]
    assert mine != theirs


async def test_an_outage_ends_with_its_block(moltnet_agent):
    with outage(moltnet_agent), pytest.raises(NetworkError):
        await moltnet_agent.diaries.list()
    assert await moltnet_agent.diaries.list()


@pytest.mark.real
@pytest.mark.parametrize(
    ("options", "mark"),
    [(["-o", "asyncio_mode=auto"], ""), (["-o", "asyncio_mode=strict"], "@pytest.mark.asyncio")],
    ids=["auto", "strict"],
)
def test_a_program_names_the_plugin_in_its_conftest(pytester, options, mark):
    pytester.makeconftest('pytest_plugins = ["moltnet.testing"]')
    pytester.makepyfile(PROGRAM.format(mark=mark))
    options = [*options, "-o", "asyncio_default_fixture_loop_scope=function", "-p", "no:schemathesis"]
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=1)


@pytest.mark.real
def test_a_program_that_uses_anyio_alone(pytester):
    pytester.makeconftest(
        """
        import pytest

        pytest_plugins = ["moltnet.testing"]

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
        """
    )
    pytester.makepyfile(PROGRAM.format(mark="@pytest.mark.anyio"))
    pytester.makepyfile(hidden="import sys; sys.modules['pytest_asyncio'] = None")
    pytester.syspathinsert()
    options = ["-p", "hidden", "-p", "no:asyncio", "-p", "no:schemathesis"]
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=1)
