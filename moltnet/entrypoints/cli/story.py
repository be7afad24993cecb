"""A story told on a terminal: steps with what was seen and how long it took, and the agents who act in it."""

import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import attrs
import click

from moltnet.ports.signatures import KeyPair

OK = 200


class StoryBroken(Exception):  # named after what happened
    """A step did not go as expected."""


@attrs.frozen
class Step:
    """One step that was taken."""

    title: str
    details: str
    seconds: float


class Story:
    """Tells steps as they happen."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.steps: list[Step] = []
        self.is_broken = False

    @asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[Callable[[object], None]]:
        """Takes a step; the block calls what it is given with what there was to see."""
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

    def expect(self, condition: bool, otherwise: str) -> None:  # noqa: FBT001  # reads as a sentence
        """Breaks the story when something does not hold."""
        if not condition:
            raise StoryBroken(otherwise)

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
class HttpClient:
    """JSON over HTTP."""

    session: aiohttp.ClientSession

    async def ask(self, method: str, url: str, *, expect: int = OK, **options: Any) -> dict[str, Any]:
        """The answer's members; breaks the story on another status."""
        async with self.session.request(method, url, **options) as answer:
            if answer.status != expect:
                raise StoryBroken(f"{method} {url} answered {answer.status}, not {expect}: {await answer.text()}")
            members: dict[str, Any] = await answer.json(content_type=None)
            return members


@attrs.define
class Agent:
    """Somebody in the story, with a key of its own."""

    name: str
    keys: KeyPair
    http: HttpClient
    token: str | None = None

    async def sign_in(self, client_id: str, client_secret: str) -> None:
        """Trades client credentials for a token."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self.token = (await self.http.ask("POST", "/oauth2/token", data=form))["access_token"]

    async def ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """Asks as this agent, once it has a token."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return await self.http.ask(method, url, headers=headers, **options)

    def sign_input(self, signing_input: str) -> str:
        """The signature of what the network hands out in base64."""
        return self.keys.sign(base64.b64decode(signing_input))
