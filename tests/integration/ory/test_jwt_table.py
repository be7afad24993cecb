"""Which signed tokens are good (docs/reference/ory.md, "Tokens"), and which of them cost a question to Hydra."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import attrs
import pytest

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.system import SystemRandomness
from moltnet.domain.credentials import ALL_SCOPES, InvalidToken, Scope
from moltnet.domain.errors import Unavailable
from moltnet.domain.ids import ClientId
from tests.integration.ory.conftest import Holder
from tests.support.builders import an_agent, an_id
from tests.support.ory import named
from tests.support.ory.faults import DOWN, Faults
from tests.support.ory.hydra import Hydra, SigningKey, a_key
from tests.support.ory.networks import behind
from tests.support.ory.ports import BASE_URL
from tests.support.ory.proxy import OryProxy
from tests.support.ory.server import OryStandIn
from tests.support.stored import joined

pytestmark = pytest.mark.real

# Later than Hydra is asked whether a token is older than its client's secret.
LATER = timedelta(minutes=5)
OTHER = "https://other.example"
Claims: TypeAlias = dict[str, Any]


@attrs.frozen
class Making:
    """What a token is made of: Hydra's own keys and a client of the network's."""

    hydra: Hydra
    holder: Holder
    at: Any

    def claims(self, **more: Any) -> Claims:
        """What Hydra says of the client's token; None takes a claim away."""
        said = self.hydra.claims(self.holder.client_id, self.at) | more
        return {name: value for name, value in said.items() if value is not None}

    def named(self, agent: Any = None) -> Claims:
        """The hook's part."""
        agent = agent or self.holder.agent
        return {
            "moltnet:identity_id": str(agent.id),
            "moltnet:public_key": agent.public_key.text,
            "moltnet:fingerprint": agent.fingerprint.text,
        }

    def seconds(self, by: int) -> int:
        """A time, by its distance from now."""
        return int(self.at.timestamp()) + by

    def signed(self, **more: Any) -> str:
        """A token that Hydra signs."""
        return self.hydra.sign(self.claims(**more))


def part(value: Mapping[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def unsigned(making: Making, algorithm: str, signature: str = "c2ln") -> str:
    header = {"alg": algorithm, "kid": "access-1", "typ": "JWT"}
    return f"{part(header).decode()}.{part(making.claims()).decode()}.{signature}"


def by_public_key(making: Making) -> str:
    """RS/HS mix-up: the public key, which everyone has, taken for a shared secret."""
    text = part({"alg": "HS256", "kid": "access-1", "typ": "JWT"}) + b"." + part(making.claims())
    secret = making.hydra.keys[0].as_pem(private=False)
    signature = base64.urlsafe_b64encode(hmac.digest(secret, text, hashlib.sha256)).rstrip(b"=")
    return (text + b"." + signature).decode()


def tampered(making: Making) -> str:
    head, _, tail = making.signed().split(".")
    return f"{head}.{part(making.claims(scp=['diary:read'])).decode()}.{tail}"


def other_key_same_kid(making: Making) -> str:
    return making.hydra.sign(making.claims(), key=a_key("someone-elses"), kid="access-1")


def unknown_kid(making: Making) -> str:
    return making.hydra.sign(making.claims(), key=a_key("someone-elses"))


def id_token_key(making: Making) -> str:
    return making.hydra.sign(making.claims(), key=making.hydra.id_token_key)


def known_to_hydra(token: Callable[[Making], str]) -> Callable[[Making], str]:
    """A token that Hydra has issued in that form."""

    def make(making: Making) -> str:
        from tests.support.ory.hydra import _Issued  # noqa: PLC0415 - a token Hydra gave without being asked

        text = token(making)
        claims = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
        making.hydra.issued[text] = _Issued(claims)
        return text

    return make


GOOD, REFUSED = "good", "refused"
TABLE: Mapping[str, tuple[Callable[[Making], str], str, bool]] = {
    # name: what is made, what becomes of it, whether Hydra is asked
    "as Hydra issues it": (lambda m: m.signed(), GOOD, False),
    "nothing but its client": (lambda m: m.signed(ext=None), GOOD, False),
    "top-level claims": (lambda m: m.signed(**m.named()), GOOD, False),
    "nested claims": (lambda m: m.signed(ext=m.named()), GOOD, False),
    "top level before nested": (lambda m: m.signed(**m.named(), ext=m.named(an_agent())), GOOD, False),
    "partial at the top, whole below": (lambda m: m.signed(**{"moltnet:identity_id": "x"}, ext=m.named()), GOOD, False),
    "another agent's claims": (lambda m: m.signed(**m.named(an_agent())), REFUSED, False),
    "another agent's nested claims": (lambda m: m.signed(ext=m.named(an_agent())), REFUSED, False),
    "an agent that is no id": (lambda m: m.signed(**m.named() | {"moltnet:identity_id": "ada"}), REFUSED, False),
    "ES256 by a key that is listed": (
        lambda m: (m.hydra.rotate_keys(a_key("ec", "ES256")), m.signed())[1],
        GOOD,
        False,
    ),
    "alg none": (lambda m: unsigned(m, "none"), REFUSED, False),
    "alg NONE": (lambda m: unsigned(m, "NONE"), REFUSED, False),
    "alg none, no signature": (lambda m: unsigned(m, "none", ""), REFUSED, True),
    "RS/HS mix-up": (by_public_key, REFUSED, False),
    "another RSA algorithm": (lambda m: unsigned(m, "RS512"), REFUSED, True),
    "RS256 said of an ES256 key": (
        lambda m: (m.hydra.rotate_keys(a_key("ec", "ES256")), m.hydra.sign(m.claims(), key=a_key("x"), kid="ec"))[1],
        REFUSED,
        False,
    ),
    "another key under a known kid": (other_key_same_kid, REFUSED, False),
    "unknown kid": (unknown_kid, REFUSED, True),
    "no kid": (lambda m: m.hydra.sign(m.claims(), kid=None), REFUSED, False),
    "tampered": (tampered, REFUSED, False),
    "signed with the ID-token key": (id_token_key, GOOD, False),
    "other issuer": (lambda m: m.signed(iss=OTHER), REFUSED, True),
    "other issuer, but Hydra's own": (known_to_hydra(lambda m: m.signed(iss=OTHER)), GOOD, True),
    "issuer with a slash": (lambda m: m.signed(iss="https://auth.example/"), GOOD, False),
    "missing iss": (lambda m: m.signed(iss=None), REFUSED, False),
    "other audience": (lambda m: m.signed(aud=[OTHER]), REFUSED, False),
    "other audience, as text": (lambda m: m.signed(aud=OTHER), REFUSED, False),
    "our audience among others": (lambda m: m.signed(aud=[OTHER, "https://moltnet.example"]), GOOD, False),
    "no audience": (lambda m: m.signed(aud=None), GOOD, False),
    "audience of a wrong type": (lambda m: m.signed(aud=7), REFUSED, False),
    "missing exp": (lambda m: m.signed(exp=None), REFUSED, False),
    "expired": (lambda m: m.signed(exp=m.seconds(0)), REFUSED, False),
    "exp as text": (lambda m: m.signed(exp=str(m.seconds(60))), REFUSED, False),
    "exp true": (lambda m: m.signed(exp=True), REFUSED, False),
    "future nbf": (lambda m: m.signed(nbf=m.seconds(1)), REFUSED, False),
    "no nbf": (lambda m: m.signed(nbf=None), GOOD, False),
    "no client, but a subject": (lambda m: m.signed(client_id=None), GOOD, False),
    "neither": (lambda m: m.signed(client_id=None, sub=None), REFUSED, False),
    "unknown client": (lambda m: m.signed(client_id="00000000-0000-4000-8000-000000000000"), REFUSED, True),
    "client that is no id": (lambda m: m.signed(client_id="../admin"), REFUSED, True),
    "payload that is no object": (lambda m: m.hydra.sign({}), REFUSED, False),
    "scopes of a wrong type": (lambda m: m.signed(scp=7), REFUSED, False),
}  # fmt: skip

# A real Hydra never issues those in that form.
ISSUED = {"other issuer, but Hydra's own"}
SETS = {"access-token": "hydra.jwt.access-token", "id-token": "hydra.openid.id-token"}


@pytest.fixture
def making(holder: Holder, stand_in: OryStandIn, clock: MemoryClock) -> Making:
    clock.advance(LATER)
    return Making(stand_in.hydra, holder, clock.now())


async def judged(making: Making, name: str, faults: Faults) -> None:
    """Verifies the table's token of a name, and whether Hydra was asked about it."""
    make, outcome, asks_hydra = TABLE[name]
    token = make(making)
    if outcome == GOOD:
        caller = await making.holder.verifier.verify(token)
        assert (caller.agent_id, caller.scopes) == (making.holder.agent.id, ALL_SCOPES)
    else:
        with pytest.raises(InvalidToken):
            await making.holder.verifier.verify(token)
    assert ("H8" in faults.calls) is asks_hydra


@pytest.mark.parametrize("name", TABLE)
async def test_token(making: Making, stand_in: OryStandIn, name: str):
    await judged(making, name, stand_in.faults)


@pytest.fixture
async def at_real() -> AsyncIterator[tuple[Making, OryProxy]]:
    """The same before a real Hydra, which publishes the keys of these tokens; the clock is ours."""
    storage, clock = MemoryStorage(), MemoryClock(datetime.now(UTC))
    async with behind() as (proxy, options), AsyncExitStack() as stack:
        assert isinstance(proxy, OryProxy)
        ory, agent, hydra = options["ory"], await joined(storage), Hydra(clock=clock.now, issuer=named.issuer())
        for of, key in (
            ("access-token", hydra.keys[0]),
            ("access-token", a_key("ec", "ES256")),
            ("id-token", hydra.id_token_key),
        ):
            await stack.enter_async_context(published(proxy, SETS[of], key))
        secret = await ory.clients(storage=storage, clock=clock, randomness=SystemRandomness()).create(
            ClientId(an_id()), agent, ALL_SCOPES
        )
        verifier = ory.token_verifier(
            keys=ory.published_keys(clock=clock),
            storage=storage,
            clock=clock,
            audience=BASE_URL,
            scopeless_tokens_have_all=True,
        )
        proxy.faults.calls.clear()
        clock.advance(LATER)
        holder = Holder(storage=storage, agent=agent, secret=secret, verifier=verifier)
        yield Making(hydra, holder, clock.now()), proxy


@asynccontextmanager
async def published(proxy: OryProxy, keys: str, key: SigningKey) -> AsyncIterator[None]:
    """Lets the real Hydra have a key of ours among its own."""
    url = f"{proxy.real['hydra', 'admin']}/admin/keys/{keys}/{key.kid}"
    private = {"use": "sig", "alg": key.alg, "kid": key.kid} | key.as_dict(private=True)
    async with proxy.http.put(url, json=private) as answer:
        assert answer.status == 200, await answer.text()
    yield
    await proxy.http.delete(url)


@pytest.mark.ory
@pytest.mark.parametrize("name", [name for name in TABLE if named.is_real() and name not in ISSUED])
async def test_token_before_a_real_hydra(at_real: tuple[Making, OryProxy], name: str):
    making, proxy = at_real
    await judged(making, name, proxy.faults)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scp": ["diary:read", "offline"]}, {Scope.DIARY_READ}),
        ({"scope": "diary:read crypto:sign", "scp": []}, {Scope.DIARY_READ, Scope.CRYPTO_SIGN}),
        ({"scp": ["openid"]}, set()),  # it carries scopes, so it is held to them
        ({"scp": []}, ALL_SCOPES),
        ({"scp": None}, ALL_SCOPES),
    ],
)
async def test_scopes_are_the_networks_own_among_those_carried(making: Making, claims: Claims, scopes: set[Scope]):
    assert (await making.holder.verifier.verify(making.signed(**claims))).scopes == scopes


async def test_key_that_is_rotated_while_serving(making: Making, stand_in: OryStandIn, clock: MemoryClock):
    """The newest key signs at once; its tokens are good at once, and soon without a question."""
    verifier, before = making.holder.verifier, making.signed()
    await verifier.verify(before)
    stand_in.hydra.rotate_keys(a_key("access-2"))
    fresh = known_to_hydra(lambda m: m.signed())(making)
    await verifier.verify(fresh)
    assert stand_in.faults.calls == ["H11", "H8"]  # not read again yet: made-up kids must cost little
    clock.advance(timedelta(seconds=5))
    await verifier.verify(fresh)
    await verifier.verify(before)  # older keys stay listed
    assert stand_in.faults.calls == ["H11", "H8", "H11"]
    stand_in.hydra.keys.pop()
    clock.advance(timedelta(minutes=10))
    await verifier.verify(fresh)
    with pytest.raises(InvalidToken):
        await verifier.verify(before)


async def test_made_up_key_ids_are_looked_for_once_in_a_while(making: Making, stand_in: OryStandIn):
    await making.holder.verifier.verify(making.signed())
    for number in range(5):
        with pytest.raises(InvalidToken):
            await making.holder.verifier.verify(making.hydra.sign(making.claims(), kid=f"made-up-{number}"))
    assert stand_in.faults.calls.count("H11") == 1


async def test_keys_outlive_an_outage(making: Making, stand_in: OryStandIn, clock: MemoryClock):
    await making.holder.verifier.verify(making.signed())
    stand_in.faults.always("H11", DOWN)
    clock.advance(timedelta(minutes=11))
    making = attrs.evolve(making, at=clock.now())
    await making.holder.verifier.verify(making.signed())
    assert "H8" not in stand_in.faults.calls


async def test_without_keys_hydra_is_asked_and_its_silence_is_no_refusal(making: Making, stand_in: OryStandIn):
    stand_in.faults.always("H11", DOWN)
    token = known_to_hydra(lambda m: m.signed())(making)
    assert (await making.holder.verifier.verify(token)).agent_id == making.holder.agent.id
    stand_in.faults.always("H8", DOWN)
    with pytest.raises(Unavailable):
        await making.holder.verifier.verify(token)
