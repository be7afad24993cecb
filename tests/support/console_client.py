"""The console as a browser sends and reads it, without a browser: forms, cookies, and what stands on a page."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html import unescape

import attrs
from aiohttp import ClientSession, CookieJar

from tests.support.web_stage import Person

HTML = {"Accept": "text/html"}
_TOKEN = re.compile(r'name="form-token" value="([^"]+)"')


@attrs.frozen
class Page:
    """An answer."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def form_token(self) -> str:
        """What the forms of the page carry."""
        match = _TOKEN.search(self.text)
        assert match, self.text[:500]
        return unescape(match[1])

    @property
    def location(self) -> str:
        """Where the browser is sent on to."""
        return self.headers["Location"]


@attrs.frozen
class ConsoleClient:
    """A browser without scripts; redirects are not followed."""

    session: ClientSession

    async def get(self, path: str, **headers: str) -> Page:
        """A page."""
        return await self._ask("GET", path, None, headers)

    async def post(self, path: str, *, form_page: str | None = "/console/sign-in", **fields: object) -> Page:
        """Sends a form with the token that `form_page` has, or without one."""
        token = (await self.get(form_page)).form_token if form_page else None
        return await self.send(path, [*([("form-token", token)] if token else []), *fields.items()])

    async def send(self, path: str, fields: list[tuple[str, object]], **headers: str) -> Page:
        """Sends these fields."""
        return await self._ask("POST", path, [(name.rstrip("_"), str(value)) for name, value in fields], headers)

    async def sign_in(self, person: Person, **fields: str) -> Page:
        """Signs in by the client secret."""
        return await self.post(
            "/console/sign-in",
            client_id=person.credentials.client_id,
            client_secret=person.credentials.secret,
            **fields,
        )

    @property
    def token(self) -> str:
        """The value of the cookie."""
        (cookie,) = self.session.cookie_jar
        return cookie.value

    async def _ask(
        self, method: str, path: str, data: list[tuple[str, str]] | None, headers: Mapping[str, str]
    ) -> Page:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(
            method, path, data=data, headers={**HTML, **named}, allow_redirects=False
        ) as answer:
            return Page(answer.status, await answer.text(), dict(answer.headers))


@asynccontextmanager
async def a_console_client(url: str) -> AsyncIterator[ConsoleClient]:
    """A browser without a history."""
    async with ClientSession(url, cookie_jar=CookieJar(unsafe=True)) as session:
        yield ConsoleClient(session)
