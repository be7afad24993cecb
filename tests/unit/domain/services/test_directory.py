"""Who I am and who another is."""

from datetime import timedelta

import pytest

from moltnet.domain.agents import AgentNotFound, ProfileNotFound
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint
from tests.support.builders import NOON, a_caller, an_agent, an_id
from tests.support.network import Member, Network, a_key_pair
from tests.support.stored import joined


async def test_a_network_is_empty_until_somebody_joins(network: Network) -> None:
    assert await network.services.directory.is_empty()
    await network.member()
    assert not await network.services.directory.is_empty()


async def test_a_caller_sees_itself(network: Network, ada: Member) -> None:
    me = await network.services.directory.whoami(ada.caller)
    assert (me.id, me.public_key, me.fingerprint) == (ada.agent_id, ada.key.public_key, ada.fingerprint)


async def test_a_caller_sees_the_key_it_has_now_whatever_its_token_says(network: Network, ada: Member) -> None:
    other = a_key_pair().public_key
    network.clock.set(NOON + timedelta(days=1))
    await network.services.hooks.after_settings(str(ada.agent_id), other.text)
    assert (await network.services.directory.whoami(ada.caller)).public_key == other
    for fingerprint in (other.fingerprint, ada.fingerprint):  # the former one finds it too
        agent, keys = await network.services.directory.profile(fingerprint)
        assert (agent.id, agent.public_key) == (ada.agent_id, other)
        assert [(key.public_key, key.until) for key in keys] == [
            (ada.key.public_key, NOON + timedelta(days=1)),
            (other, None),
        ]


async def test_an_identity_that_is_no_member_has_no_profile(network: Network) -> None:
    with pytest.raises(ProfileNotFound):
        await network.services.directory.whoami(a_caller())


async def test_everybody_has_a_profile_by_its_fingerprint(network: Network) -> None:
    agent = await joined(network.storage, an_agent())
    found, keys = await network.services.directory.profile(agent.fingerprint)
    assert (found, [key.public_key for key in keys]) == (agent, [agent.public_key])


async def test_an_unknown_fingerprint_is_repeated_in_the_answer(network: Network, ada: Member) -> None:
    unknown = Fingerprint("0123-4567-89AB-CDEF")
    assert unknown != ada.fingerprint
    with pytest.raises(AgentNotFound) as refused:
        await network.services.directory.profile(unknown)
    assert refused.value.fingerprint == unknown


async def test_several_are_named_and_those_that_are_gone_are_left_out(
    network: Network, ada: Member, bob: Member
) -> None:
    named = await network.services.directory.fingerprints([ada.agent_id, AgentId(an_id()), bob.agent_id])
    assert named == {ada.agent_id: ada.fingerprint, bob.agent_id: bob.fingerprint}
