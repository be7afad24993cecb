import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.credentials import AccessToken, InvalidClient
from moltnet.domain.errors import StorageUnavailable
from moltnet.entrypoints.mcp.authenticator import (
    COOLDOWN_S,
    FAILURES_BEFORE_COOLDOWN,
    SAFETY_S,
    CoolingDown,
    Credentials,
    TokenExchange,
)
from moltnet.entrypoints.mcp.sessions import TooManyCalls

RIGHT = Credentials(client_id="ada", client_secret="right")
WRONG = Credentials(client_id="ada", client_secret="wrong")
LIFETIME_S = 3600.0


@attrs.define
class Endpoint:
    """A token endpoint that knows one secret, and the time."""

    now: float = 1000.0
    lifetime_s: float = LIFETIME_S
    error: Exception | None = None
    asked: list[str] = attrs.field(factory=list)
    gate: asyncio.Event | None = None

    async def issue(self, credentials: Credentials, _: str) -> AccessToken:
        self.asked.append(credentials.client_secret)
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error
        if credentials != RIGHT:
            raise InvalidClient
        return AccessToken(
            text=f"token {len(self.asked)}", lifetime=timedelta(seconds=self.lifetime_s), scopes=frozenset()
        )


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def tokens(endpoint: Endpoint) -> TokenExchange:
    return TokenExchange(endpoint.issue, lambda: endpoint.now)


async def refusals(tokens: TokenExchange, count: int, credentials: Credentials = WRONG) -> None:
    for _ in range(count):
        with pytest.raises(InvalidClient):
            await tokens.token(credentials, "1.2.3.4")


async def test_a_token_is_cached_until_shortly_before_its_end(tokens, endpoint):
    assert await tokens.token(RIGHT, "") == await tokens.token(RIGHT, "") == "token 1"
    endpoint.now += LIFETIME_S - SAFETY_S - 1
    assert await tokens.token(RIGHT, "") == "token 1"
    endpoint.now += 1
    assert await tokens.token(RIGHT, "") == "token 2"


async def test_a_short_lived_token_is_not_cached(tokens, endpoint):
    endpoint.lifetime_s = SAFETY_S
    assert [await tokens.token(RIGHT, "") for _ in range(2)] == ["token 1", "token 2"]


async def test_a_wrong_secret_never_meets_the_token_of_the_right_one(tokens):
    await tokens.token(RIGHT, "")
    await refusals(tokens, 1)


async def test_after_five_refusals_nothing_is_asked_for_a_minute(tokens, endpoint):
    await refusals(tokens, FAILURES_BEFORE_COOLDOWN)
    with pytest.raises(CoolingDown) as cooling:
        await tokens.token(WRONG, "")
    assert len(endpoint.asked) == FAILURES_BEFORE_COOLDOWN
    assert 0 < cooling.value.retry_after_s <= COOLDOWN_S + 1


async def test_one_more_refusal_after_the_minute_begins_another(tokens, endpoint):
    await refusals(tokens, FAILURES_BEFORE_COOLDOWN)
    endpoint.now += COOLDOWN_S
    await refusals(tokens, 1)
    with pytest.raises(CoolingDown):
        await tokens.token(WRONG, "")


async def test_success_forgets_earlier_refusals(tokens, endpoint):
    endpoint.error = InvalidClient()
    await refusals(tokens, FAILURES_BEFORE_COOLDOWN - 1, RIGHT)
    endpoint.error = None
    endpoint.lifetime_s = 0
    await tokens.token(RIGHT, "")
    endpoint.error = InvalidClient()
    await refusals(tokens, FAILURES_BEFORE_COOLDOWN - 1, RIGHT)


async def test_wrong_guesses_lock_nobody_else_out_with_or_without_a_token(tokens):
    await refusals(tokens, FAILURES_BEFORE_COOLDOWN)
    assert await tokens.token(RIGHT, "") == await tokens.token(RIGHT, "")


async def test_a_cached_token_is_given_even_while_cooling_down(tokens, endpoint):
    await tokens.token(RIGHT, "")
    endpoint.error = InvalidClient()
    tokens.forget(RIGHT)
    await refusals(tokens, FAILURES_BEFORE_COOLDOWN, RIGHT)
    with pytest.raises(CoolingDown):
        await tokens.token(RIGHT, "")


async def test_an_endpoint_that_is_down_counts_as_refusing(tokens, endpoint):
    endpoint.error = StorageUnavailable()
    for _ in range(FAILURES_BEFORE_COOLDOWN):
        with pytest.raises(StorageUnavailable):
            await tokens.token(RIGHT, "")
    with pytest.raises(CoolingDown):
        await tokens.token(RIGHT, "")


async def test_being_held_up_by_the_rate_limit_does_not(tokens, endpoint):
    endpoint.error = TooManyCalls(7)
    for _ in range(FAILURES_BEFORE_COOLDOWN + 1):
        with pytest.raises(TooManyCalls):
            await tokens.token(RIGHT, "")


async def test_the_same_credentials_at_once_are_traded_once_and_others_apart(tokens, endpoint):
    endpoint.gate = asyncio.Event()
    asking = [asyncio.create_task(tokens.token(RIGHT, "")) for _ in range(5)]
    guess = asyncio.create_task(tokens.token(WRONG, ""))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking[0].cancel()
    endpoint.gate.set()
    outcomes = await asyncio.gather(*asking, guess, return_exceptions=True)
    assert sorted(endpoint.asked) == ["right", "wrong"]
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert len(set(outcomes[1:5])) == 1
    assert isinstance(outcomes[5], InvalidClient)


async def test_clients_cannot_make_it_remember_without_end(endpoint):
    tokens = TokenExchange(endpoint.issue, lambda: endpoint.now, most=3)
    for number in range(10):
        await refusals(tokens, 1, Credentials(client_id=str(number), client_secret="x"))
    assert len(tokens._failures) == 3


@pytest.mark.parametrize("text", ["\0", "\ud800", "é" * 5000])
def test_any_text_can_be_a_secret(text):
    assert Credentials(client_id=text, client_secret=text).key
