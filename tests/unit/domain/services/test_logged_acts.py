"""What acts leave in the open log: of each change its leaf, once, and none of what did not happen."""

from contextlib import suppress
from itertools import repeat
from urllib.parse import parse_qs, urlsplit

import pytest

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.errors import Unavailable
from moltnet.domain.registration import RegistrationFailed
from moltnet.domain.services.hooks import HookService
from moltnet.domain.transparency import ChangeCause, Leaf, LeafKind
from tests.support.interruptions import failing
from tests.support.network import Member, Network, a_key_pair
from tests.unit.domain.services.test_keys import rotated


async def leaves(network: Network, *, behind: int = 0) -> list[Leaf]:
    return (await network.logged())[behind:]


def kinds(found: list[Leaf]) -> list[LeafKind]:
    return [leaf.kind for leaf in found]


async def test_a_registration_and_its_voucher_are_logged(network: Network, ada: Member) -> None:
    before = len(await network.logged())
    key = a_key_pair().public_key
    code = (await network.services.vouching.issue(ada.caller)).code
    await network.services.registration.register(key.text, code)
    registered, vouched = await leaves(network, behind=before)
    assert registered == Leaf.registered(key, registered.at)
    assert vouched == Leaf.vouched(key.fingerprint, ada.caller.public_key.fingerprint, vouched.at)


async def test_a_registration_that_fails_late_is_logged_as_undone(network: Network, ada: Member) -> None:
    before, key = len(await network.logged()), a_key_pair().public_key
    code = (await network.services.vouching.issue(ada.caller)).code
    network.calls.before("ClientRegistry.create", repeat(failing(Unavailable())))
    with pytest.raises(RegistrationFailed):
        await network.services.registration.register(key.text, code)
    found = await leaves(network, behind=before)
    assert kinds(found) == [LeafKind.AGENT_REGISTERED, LeafKind.AGENT_VOUCHED, LeafKind.REGISTRATION_UNDONE]
    assert found[-1] == Leaf.undone(key, found[-1].at)


async def test_a_registration_that_fails_at_once_is_not_logged(network: Network, ada: Member) -> None:
    before = len(await network.logged())
    code = (await network.services.vouching.issue(ada.caller)).code
    network.calls.before("vouchers.redeem", repeat(failing(Unavailable())))
    with suppress(RegistrationFailed):
        await network.services.registration.register(a_key_pair().public_key.text, code)
    assert await leaves(network, behind=before) == []


async def test_a_recovery_is_logged(network: Network, ada: Member) -> None:
    before, key = len(await network.logged()), ada.caller.public_key
    recovery = await network.identities.begin_recovery(ada.agent_id)
    (flow,) = parse_qs(urlsplit(recovery.flow_url).query)["flow"]
    answer = await network.services.recovery.answer_flow(flow, recovery.code)
    assert answer.session_token is not None
    await network.services.credentials.rotate_by_session(answer.session_token)
    [recovered] = await leaves(network, behind=before)
    assert recovered == Leaf.recovered(key.fingerprint, recovered.at)


async def test_what_an_identity_service_does_is_logged(network: Network, ada: Member) -> None:
    before = len(await network.logged())
    hooks: HookService = network.services.hooks
    first, second = (NaclKeyPair.generate().public_key for _ in range(2))
    code = (await network.services.vouching.issue(ada.caller)).code
    identity = "0c9d2f4e-5b1a-4c6d-8e7f-0123456789ab"
    await hooks.after_registration(identity, first.text, code)
    await hooks.after_settings(identity, second.text)
    await hooks.after_settings(identity, second.text)
    found = await leaves(network, behind=before)
    assert kinds(found) == [LeafKind.AGENT_REGISTERED, LeafKind.AGENT_VOUCHED, LeafKind.KEY_CHANGED]
    assert found[-1] == Leaf.key_changed(first.fingerprint, second, ChangeCause.SERVICE, found[-1].at)


async def test_a_key_that_is_replaced_is_logged_once(network: Network, ada: Member) -> None:
    before, fresh = len(await network.logged()), a_key_pair()
    await rotated(network, ada.caller, ada.key, fresh)
    [changed] = await leaves(network, behind=before)
    assert changed == Leaf.key_changed(ada.fingerprint, fresh.public_key, ChangeCause.ROTATION, changed.at)
