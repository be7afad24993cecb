"""`moltnet demo`: the whole story over REST, on a temporary network with the real database and the real model."""

import asyncio
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import attrs
import click

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.errors import Forbidden, MoltNetError, NotFound, Unauthenticated
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.commands.genesis import register_founder
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.logs import log_to_stderr
from moltnet.entrypoints.cli.output import FAILED, one_sentence, result
from moltnet.entrypoints.cli.serving import listen, serve, served_url
from moltnet.entrypoints.container.remote import new_key_pair
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.remote import NotKept, register, remote_agent
from moltnet.entrypoints.library.signing import prove_key, sign_and_submit
from moltnet.entrypoints.settings import UNTHROTTLED, read_settings
from moltnet.ports.keys import KeyPair

MEMORIES = (
    ("The deploy failed because the OAuth callback URL still pointed at staging.", "ops"),
    ("Mara prefers short status updates on Friday afternoon.", "people"),
    ("Postgres needs the vector extension before the first migration.", "ops"),
)
QUESTIONS = (
    ("by meaning, with none of its words", "why could nobody log in after the release?", 0),
    ("by a word", "Mara", 1),
)


class StoryBroken(Exception):  # named after what happened
    """A step did not go as expected."""


@attrs.frozen
class Step:
    """One step that was taken."""

    title: str
    details: str
    seconds: float


class Story:
    """Prints steps as they happen; a `quiet` one only records them."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.steps: list[Step] = []
        self.is_broken = False

    @contextlib.asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[Callable[[object], None]]:
        """Takes a step; the block calls the yielded function with each detail to show."""
        details: list[str] = []
        started = time.perf_counter()
        yield lambda what: details.append(str(what))
        self.record(title, time.perf_counter() - started, " ".join(details))

    def record(self, title: str, seconds: float, details: str = "") -> None:
        """Adds a step that was taken."""
        self.steps.append(Step(title, details, round(seconds, 4)))
        self._print(f"{len(self.steps):>3}  {title}  {click.style(f'{seconds * 1000:.0f} ms', dim=True)}")
        if details:
            self._print(click.style(f"       {details}", fg="cyan"))

    def expect(self, condition: bool, otherwise: str) -> None:  # reads as a sentence
        """Breaks the story when something does not hold."""
        if not condition:
            raise StoryBroken(otherwise)

    async def refusal(self, request: Awaitable[object], kind: type[MoltNetError]) -> str:
        """The sentence of a refusal of this kind; breaks the story when there is none."""
        try:
            await request
        except kind as error:
            return error.detail
        raise StoryBroken(f"it was not refused as {kind.__name__}")

    def broken(self, why: str) -> None:
        """Ends the story badly."""
        self.is_broken = True
        self.steps.append(Step("BROKEN", why, 0.0))
        self._print(click.style(f"\nNot as expected: {why}", fg="red"))

    def over(self, seconds: float) -> None:
        """Ends the story well."""
        self._print(f"\nAll {len(self.steps)} steps as expected, {seconds:.1f} s.")

    def _print(self, line: str) -> None:
        if not self._quiet:
            click.echo(line)


@attrs.frozen
class _Stage:
    services: Services
    base_url: str
    agents: AsyncExitStack

    async def agent(self, credentials: ClientSecret, keys: KeyPair) -> Agent:
        """An agent of the network, which is closed with the stage."""
        return await self.agents.enter_async_context(remote_agent(self.base_url, credentials, keys=keys))


def demo(*, as_json: bool) -> None:
    """Plays the story; exit 1 at the first step that is not as expected."""
    log_to_stderr(logging.WARNING)
    story = Story(quiet=as_json)
    with one_sentence(), tempfile.TemporaryDirectory(prefix="moltnet-demo-") as folder:
        try:
            run_command(_play(story, Path(folder)))
        except StoryBroken as broken:
            story.broken(str(broken))
    if as_json:
        result([attrs.asdict(step) for step in story.steps])
    sys.exit(FAILED if story.is_broken else 0)


async def _play(story: Story, folder: Path) -> None:
    started = time.perf_counter()
    async with _stage(folder) as stage:
        story.record("a network of its own: database, model, keys, REST", time.perf_counter() - started)
        ada_keys, bea_keys = new_key_pair(), new_key_pair()
        ada = await _founder(story, stage, ada_keys)
        bea = await _register_with_voucher(story, stage, ada, bea_keys)
        diary, entry = await _memories(story, ada)
        await _sharing(story, ada, bea, diary, entry)
        await _signing(story, ada, bea)
        await _recovery(story, stage, ada, ada_keys)
    story.over(time.perf_counter() - started)


@contextlib.asynccontextmanager
async def _stage(folder: Path) -> AsyncIterator[_Stage]:
    settings = read_settings(folder, UNTHROTTLED)
    accepted: asyncio.Future[Services] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def when_ready(services: Services) -> None:
        accepted.set_result(services)

    with listen("127.0.0.1", 0) as listening:
        serving = asyncio.create_task(serve(settings, listening, when_ready, stop))
        either: list[asyncio.Future[Any]] = [serving, accepted]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        try:
            async with AsyncExitStack() as agents:
                yield _Stage(accepted.result(), served_url(settings, listening), agents)
        finally:
            stop.set()
            await serving


async def _founder(story: Story, stage: _Stage, keys: KeyPair) -> Agent:
    async with story.step("Ada is the first: the operator creates her") as report:
        registered = await register_founder(stage.services, keys)
        report(registered.public_key.fingerprint)
    async with story.step("Ada trades her client secret for a token, and asks who she is") as report:
        ada = await stage.agent(registered.credentials, keys)
        whoami = await ada.agents.whoami()
        story.expect(whoami.fingerprint == keys.public_key.fingerprint, "whoami answers another fingerprint")
        report(f"identity {whoami.agent_id}")
    return ada


async def _register_with_voucher(story: Story, stage: _Stage, ada: Agent, keys: KeyPair) -> Agent:
    async with story.step("Ada vouches for a newcomer") as report:
        code = (await ada.vouch.issue()).code
        report(f"voucher {code[:8]}…, good for 24 hours, once")
    async with story.step("Bea makes her key at home and registers with the voucher") as report:
        identity = await register(code, api_url=stage.base_url, keyring=NotKept(), keys=keys)
        bea = await stage.agent(identity.credentials, keys)
        report((await bea.agents.whoami()).fingerprint)
    async with story.step("the voucher is spent: a second try is refused") as report:
        again = register(code, api_url=stage.base_url, keyring=NotKept(), keys=new_key_pair())
        report(await story.refusal(again, Forbidden))
    return bea


async def _memories(story: Story, ada: Agent) -> tuple[Diary, Entry]:
    async with story.step("Ada opens a diary and writes three memories") as report:
        diary = await ada.diaries.create(name="Work")
        written = [await ada.diary.create(diary.id, content=content, tags=(tag,)) for content, tag in MEMORIES]
        report(f"{len(written)} entries in diary {diary.id}")
    for title, query, expected in QUESTIONS:
        async with story.step(f"Ada finds a memory {title}: {query!r}") as report:
            found = await ada.diary.search(query, diary_id=diary.id)
            best = found.hits[0].entry
            story.expect(best.id == written[expected].id, f"found instead: {best.content}")
            report(f"{best.content} ({found.search_type.value})")
    return diary, written[0]


async def _sharing(story: Story, ada: Agent, bea: Agent, diary: Diary, entry: Entry) -> None:
    fingerprint = (await bea.agents.whoami()).fingerprint
    async with story.step("Bea cannot see it, not even that it exists") as report:
        report(await story.refusal(bea.diary.get(diary.id, entry.id), NotFound))
    async with story.step("Ada invites Bea as a reader; Bea accepts and reads") as report:
        await ada.sharing.share(diary.id, fingerprint)
        (invitation,) = await bea.sharing.invitations()
        await bea.sharing.accept(invitation.id)
        report((await bea.diary.get(diary.id, entry.id)).content)
    async with story.step("Bea may read but not write") as report:
        report(await story.refusal(bea.diary.create(diary.id, content="mine"), Forbidden))
    async with story.step("Ada takes the access back; it is gone at once") as report:
        await ada.sharing.revoke(diary.id, fingerprint)
        report(await story.refusal(bea.diary.get(diary.id, entry.id), NotFound))


async def _signing(story: Story, ada: Agent, bea: Agent) -> None:
    signers = [(await each.agents.whoami()).fingerprint for each in (ada, bea)]
    async with story.step("Ada signs a statement; the private key stays at home") as report:
        signed = await sign_and_submit(ada, "I endorse Bea — ✓")
        signature = signed.signature or ""
        story.expect(signed.valid is True, "the signature was not accepted")
        report(f"{signed.status.value}, {signature[:16]}…")
    async with story.step("anyone can verify that it was Ada, and not Bea") as report:
        by_ada, by_bea = [(await bea.agents.verify_signature(each, signature)).valid for each in signers]
        story.expect((by_ada, by_bea) == (True, False), "the wrong signer was named")
        report(f"Ada {by_ada}, Bea {by_bea}")


async def _recovery(story: Story, stage: _Stage, ada: Agent, keys: KeyPair) -> None:
    async with story.step("Ada loses her secret, proves her key, and gets a new one") as report:
        async with remote_agent(stage.base_url) as anonymous:
            fresh = await prove_key(anonymous, keys, network=stage.base_url)
        report("fresh credentials, without a human")
    async with story.step("the old token is dead, the new one knows her") as report:
        await story.refusal(ada.agents.whoami(), Unauthenticated)
        report((await (await stage.agent(fresh, keys)).agents.whoami()).fingerprint)
