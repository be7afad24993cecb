"""Sessions of the console: how they begin, whom they stand for, and how they end."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.caller import Caller, MissingScope
from moltnet.domain.credentials import ALL_SCOPES, ClientSecret, InvalidClient, Scope
from moltnet.domain.ids import ClientId, WebSessionId
from moltnet.domain.registration import Registered
from moltnet.domain.services.web_sessions import Browser, SignedIn, WebSessionService
from moltnet.domain.web_sessions import (
    CHALLENGE_LIFETIME,
    IDLE,
    LIFETIME,
    LINK_LIFETIME,
    SESSIONS_MAX,
    TOUCH_EVERY,
    ForeignForm,
    InvalidSignIn,
    LinkSpent,
    MalformedSignIn,
    SignInMethod,
    WebSessionNotFound,
)
from moltnet.ports.identity import ClientRecord
from tests.support.builders import a_caller, an_id
from tests.support.network import Member, Network, a_key_pair
from tests.support.tokens import a_token_key

SECOND = timedelta(seconds=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@attrs.frozen
class Directory:
    """A directory of clients that answers as it is told."""

    find: Callable[[ClientId], Awaitable[ClientRecord | None]]


@attrs.frozen
class Console:
    """The sessions of a network, and an agent with credentials that begins them."""

    network: Network
    sessions: WebSessionService
    agent: Member
    credentials: ClientSecret

    async def by_secret(self, *, read_only: bool = False) -> SignedIn:
        secret = self.credentials
        return await self.sessions.by_secret(str(secret.client_id), secret.secret, FIREFOX, read_only=read_only)

    async def resolved(self, begun: SignedIn) -> Browser:
        browser = await self.sessions.resolve(begun.token)
        assert browser is not None
        return browser

    def with_directory(self, find: Callable[[ClientId], Awaitable[ClientRecord | None]]) -> "Console":
        """The same, but for a directory of clients that answers otherwise."""
        return attrs.evolve(self, sessions=attrs.evolve(self.sessions, client_directory=Directory(find)))

    async def rotated(self) -> None:
        await self.network.services.credentials.rotate(self.agent.caller)


async def joined(network: Network, scopes: frozenset[Scope] = ALL_SCOPES) -> Console:
    key = a_key_pair()
    registered: Registered = await network.services.registration.genesis(key.public_key.text, scopes)
    credentials = registered.credentials
    caller = Caller(
        agent_id=registered.agent_id,
        public_key=key.public_key,
        client_id=credentials.client_id,
        scopes=scopes,
        client_scopes=scopes,
    )
    return Console(network, network.services.web_sessions, Member(key=key, caller=caller), credentials)


@pytest.fixture
async def console(network: Network) -> Console:
    """An agent of a network that issues tokens."""
    async with network.storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    return await joined(network)


# By client credentials


async def test_a_session_of_credentials_stands_for_their_agent(console: Console) -> None:
    begun = await console.by_secret()
    assert (begun.session.method, begun.session.device) == (SignInMethod.SECRET, "Firefox on Linux")
    assert await console.resolved(begun) == Browser(begun.session, console.agent.caller)
    assert await console.sessions.resolve("another") is None


async def test_only_the_hash_of_a_token_is_stored(console: Console) -> None:
    begun = await console.by_secret()
    assert begun.token not in repr(begun)
    assert begun.token not in repr(console.network.kept())


async def test_a_session_may_be_asked_for_to_read_only(console: Console) -> None:
    browser = await console.resolved(await console.by_secret(read_only=True))
    assert (browser.caller.scopes, browser.caller.client_scopes) == ({Scope.DIARY_READ}, ALL_SCOPES)


async def test_a_session_has_no_scope_that_its_client_lacks(console: Console) -> None:
    narrow = await joined(console.network, frozenset({Scope.AGENT_PROFILE}))
    for read_only, scopes in ((False, {Scope.AGENT_PROFILE}), (True, set())):
        assert (await narrow.by_secret(read_only=read_only)).session.scopes == scopes


@pytest.mark.parametrize(("client_id", "secret"), [("", "secret"), ("client", "")])
async def test_a_sign_in_names_something_to_prove(console: Console, client_id: str, secret: str) -> None:
    with pytest.raises(MalformedSignIn):
        await console.sessions.by_secret(client_id, secret, FIREFOX, read_only=False)


async def test_wrong_credentials_begin_nothing(console: Console) -> None:
    for client_id, secret in (
        (str(console.credentials.client_id), "wrong"),
        (str(an_id()), console.credentials.secret),
        ("no uuid", console.credentials.secret),
    ):
        with pytest.raises(InvalidClient):
            await console.sessions.by_secret(client_id, secret, FIREFOX, read_only=False)
    assert await console.sessions.of(console.agent.caller) == []


async def test_credentials_that_are_not_in_the_directory_begin_nothing(console: Console) -> None:
    async def nobody(_: ClientId) -> None:
        return None

    elsewhere = console.with_directory(nobody)
    with pytest.raises(InvalidClient, match="sign in with the agent's key"):
        await elsewhere.by_secret()
    with pytest.raises(InvalidClient):
        await elsewhere.sessions.link(console.agent.caller)
    assert await console.sessions.of(console.agent.caller) == []


async def test_credentials_that_the_directory_has_as_another_agents_begin_nothing(console: Console) -> None:
    other = await joined(console.network)

    async def another(_: ClientId) -> ClientRecord | None:
        return await console.sessions.client_directory.find(other.credentials.client_id)

    with pytest.raises(InvalidClient, match="sign in with the agent's key"):
        await console.with_directory(another).by_secret()
    for caller in (console.agent.caller, other.agent.caller):
        assert await console.sessions.of(caller) == []


async def test_a_secret_that_is_replaced_before_it_is_checked_begins_nothing(console: Console) -> None:
    async def replaced_first(client_id: ClientId) -> ClientRecord | None:
        await console.rotated()
        return await console.sessions.client_directory.find(client_id)

    with pytest.raises(InvalidClient):
        await console.with_directory(replaced_first).by_secret()


async def test_a_secret_that_is_replaced_while_its_session_begins_ends_that_session(console: Console) -> None:
    @attrs.frozen
    class ReplacedBehind:
        """Verifies a token, just before its client gets another secret."""

        async def verify(self, token: str) -> Caller:
            """Whom the token stands for."""
            caller = await console.sessions.tokens.verify(token)
            await console.rotated()
            return caller

    begun = await attrs.evolve(console, sessions=attrs.evolve(console.sessions, tokens=ReplacedBehind())).by_secret()
    assert await console.sessions.resolve(begun.token) is None


# By the agent's key


async def by_key(console: Console, signature: str | None = None, key: str | None = None) -> SignedIn:
    challenge = console.sessions.challenge()
    signature = console.agent.key.sign(challenge.text.encode()) if signature is None else signature
    key = console.agent.key.public_key.text if key is None else key
    return await console.sessions.by_key(challenge, signature, key, FIREFOX)


async def test_the_signer_of_a_challenge_is_let_in(console: Console) -> None:
    begun = await by_key(console)
    assert begun.session.method is SignInMethod.KEY
    assert (await console.resolved(begun)).caller == console.agent.caller


async def test_a_wrong_signature_or_key_is_refused_and_uses_nothing_up(console: Console) -> None:
    challenge = console.sessions.challenge()
    good, key = console.agent.key.sign(challenge.text.encode()), console.agent.key.public_key.text
    other = a_key_pair()
    for signature, key_text in (
        ("", key),
        ("no signature", key),
        (console.agent.key.sign(b"another text"), key),
        (other.sign(challenge.text.encode()), key),
        (good, "no key"),
        (good, other.public_key.text),
    ):
        with pytest.raises(InvalidSignIn):
            await console.sessions.by_key(challenge, signature, key_text, FIREFOX)
    assert await console.sessions.by_key(challenge, good, key, FIREFOX)


async def test_a_challenge_is_good_once(console: Console) -> None:
    challenge = console.sessions.challenge()
    proof = console.agent.key.sign(challenge.text.encode()), console.agent.key.public_key.text
    await console.sessions.by_key(challenge, *proof, FIREFOX)
    with pytest.raises(InvalidSignIn):
        await console.sessions.by_key(challenge, *proof, FIREFOX)
    assert len(await console.sessions.of(console.agent.caller)) == 1


async def test_a_challenge_is_good_for_its_time(console: Console) -> None:
    challenge = console.sessions.challenge()
    proof = console.agent.key.sign(challenge.text.encode()), console.agent.key.public_key.text
    console.network.clock.advance(CHALLENGE_LIFETIME + SECOND)
    with pytest.raises(InvalidSignIn):
        await console.sessions.by_key(challenge, *proof, FIREFOX)


async def test_a_key_of_nobody_or_of_an_agent_without_a_client_is_refused(console: Console, bob: Member) -> None:
    for key in (a_key_pair(), bob.key):  # Bob has no credentials
        challenge = console.sessions.challenge()
        with pytest.raises(InvalidSignIn):
            await console.sessions.by_key(challenge, key.sign(challenge.text.encode()), key.public_key.text, FIREFOX)


# By a link


async def test_a_link_lets_its_agent_in_once(console: Console) -> None:
    code = await console.sessions.link(console.agent.caller)
    for _ in range(2):  # to be asked for whom it is uses nothing up
        assert (await console.sessions.agent_of_link(code)).id == console.agent.agent_id
    begun = await console.sessions.by_link(code, FIREFOX)
    assert begun.session.method is SignInMethod.LINK
    assert (await console.resolved(begun)).caller == console.agent.caller
    with pytest.raises(LinkSpent):
        await console.sessions.by_link(code, FIREFOX)
    assert len(await console.sessions.of(console.agent.caller)) == 1


async def test_a_narrowed_token_makes_no_link(console: Console) -> None:
    narrowed = attrs.evolve(console.agent.caller, scopes=ALL_SCOPES - {Scope.DIARY_DELETE})
    with pytest.raises(MissingScope):
        await console.sessions.link(narrowed)


@pytest.mark.parametrize("spoil", ["", "x{}", "{}x"])
async def test_another_code_is_none(console: Console, spoil: str) -> None:
    code = spoil.format(await console.sessions.link(console.agent.caller))
    for use in (console.sessions.agent_of_link(code), console.sessions.by_link(code, FIREFOX)):
        with pytest.raises(LinkSpent):
            await use


async def test_a_link_is_over_after_its_time_or_with_its_secret(console: Console) -> None:
    late = await console.sessions.link(console.agent.caller)
    console.network.clock.advance(LINK_LIFETIME + SECOND)
    replaced = await console.sessions.link(console.agent.caller)
    await console.rotated()
    for code in (late, replaced):
        for use in (console.sessions.agent_of_link(code), console.sessions.by_link(code, FIREFOX)):
            with pytest.raises(LinkSpent):
                await use


# While it lasts, and how it ends


async def test_use_prolongs_a_session_until_its_last_hour(console: Console) -> None:
    begun = await console.by_secret()
    for _ in range(LIFETIME // IDLE * 2 - 1):
        console.network.clock.advance(IDLE / 2)
        assert await console.sessions.resolve(begun.token)
    console.network.clock.advance(IDLE / 2)
    assert await console.sessions.resolve(begun.token) is None


async def test_a_session_without_use_is_over(console: Console) -> None:
    begun = await console.by_secret()
    console.network.clock.advance(IDLE)
    assert await console.sessions.resolve(begun.token) is None


async def test_a_use_soon_after_the_last_is_not_stored(console: Console) -> None:
    begun = await console.by_secret()
    for wait, used in ((TOUCH_EVERY - SECOND, timedelta()), (SECOND, TOUCH_EVERY)):
        console.network.clock.advance(wait)
        await console.resolved(begun)
        (kept,) = await console.sessions.of(console.agent.caller)
        assert kept.used_at == begun.session.used_at + used


async def test_a_session_has_the_scopes_and_the_key_of_now(console: Console) -> None:
    begun, other = await console.by_secret(), a_key_pair()
    await console.network.services.hooks.after_settings(str(console.agent.agent_id), other.public_key.text)
    left = frozenset({Scope.DIARY_READ})

    async def narrowed(client_id: ClientId) -> ClientRecord | None:
        found = await console.sessions.client_directory.find(client_id)
        return found and (attrs.evolve(found[0], scopes=left), found[1])

    caller = (await console.with_directory(narrowed).resolved(begun)).caller
    assert (caller.public_key, caller.scopes, caller.client_scopes) == (other.public_key, left, left)


async def test_a_session_of_an_agent_that_is_gone_is_over(console: Console) -> None:
    begun = await console.by_secret()
    async with console.network.storage.transaction() as work:
        await work.agents.remove(console.agent.agent_id)
    assert await console.sessions.resolve(begun.token) is None


async def test_a_new_secret_ends_every_session_but_the_one_that_goes_on(console: Console) -> None:
    one, other = await console.by_secret(), await by_key(console)
    await console.rotated()
    await console.sessions.continue_after_rotation(one.session)
    assert (await console.resolved(one)).caller.agent_id == console.agent.agent_id
    assert await console.sessions.resolve(other.token) is None


async def test_a_session_of_a_client_that_is_gone_does_not_go_on(console: Console) -> None:
    begun = await console.by_secret()
    before = await console.sessions.of(console.agent.caller)
    gone = attrs.evolve(begun.session, client_id=ClientId(an_id()), device="another")
    await console.sessions.continue_after_rotation(gone)
    assert await console.sessions.of(console.agent.caller) == before


async def test_an_agent_ends_its_own_sessions_alone(console: Console) -> None:
    begun, other = await console.by_secret(), await by_key(console)
    for caller, session_id in ((a_caller(), begun.session.id), (console.agent.caller, WebSessionId(an_id()))):
        with pytest.raises(WebSessionNotFound):
            await console.sessions.end(caller, session_id)
    assert await console.sessions.of(a_caller()) == []
    await console.sessions.end(console.agent.caller, begun.session.id)
    assert await console.sessions.resolve(begun.token) is None
    assert await console.sessions.of(console.agent.caller) == [other.session]


async def test_one_session_too_many_ends_the_oldest(console: Console) -> None:
    begun = []
    for _ in range(SESSIONS_MAX + 1):
        begun.append(await by_key(console))
        console.network.clock.advance(SECOND)
    assert await console.sessions.resolve(begun[0].token) is None
    assert [each.id for each in await console.sessions.of(console.agent.caller)] == [
        each.session.id for each in reversed(begun[1:])
    ]


# Forms


async def test_a_form_is_of_one_browser(console: Console) -> None:
    one, other = console.sessions.anonymous_token(), console.sessions.anonymous_token()
    assert one != other
    console.sessions.check_form(console.sessions.form_token(one), one)
    for sent in ("", one, console.sessions.form_token(other)):
        with pytest.raises(ForeignForm):
            console.sessions.check_form(sent, one)
