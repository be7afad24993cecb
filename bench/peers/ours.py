"""MoltNet as a store of memories: through a server's REST interface, and opened in the process by its library."""

import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp

from bench.peers.store import FOUND, Store
from bench.server import diary, founders, running
from moltnet import Agent, MoltNet, connect, sign_and_submit, verify_with_nonce
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import DiaryId
from moltnet.entrypoints.container.remote import key_pair_of

PAGE = 100
Named = dict[str, str]


@asynccontextmanager
async def through_rest(folder: Path, *, expands: bool = True) -> AsyncIterator[Store]:
    """A server of its own, and one session of an HTTP client, whose time counts too."""
    owner, other = _agents(folder)
    settings = {**os.environ, "MOLTNET_EXPANSION": str(expands).lower()}
    with running(folder / "network", settings=settings) as server:
        async with _session(server.url, owner) as session, _session(server.url, other) as strange:
            place = await diary(session)
            async with await connect(
                client_id=owner["clientId"], client_secret=owner["clientSecret"], api_url=server.url
            ) as agent:
                yield Rest(session, place, _Signing(agent, owner), Rest(strange, place))


@asynccontextmanager
async def by_library(folder: Path) -> AsyncIterator[Store]:
    """A network opened in this process."""
    owner, other = _agents(folder)
    async with MoltNet.open(folder / "network") as network:
        agent, strange = [
            await network.agent(ClientSecret.of(each["clientId"], each["clientSecret"])) for each in (owner, other)
        ]
        place = (await agent.diaries.list())[0].id
        yield Library(agent, place, _Signing(agent, owner), Library(strange, place))


class _Signing:
    def __init__(self, agent: Agent, named: Named) -> None:
        self._agent, self._named = agent, named

    async def __call__(self, text: str) -> bool:
        request = await sign_and_submit(self._agent, text, keys=key_pair_of(self._named["privateKey"]))
        signature = str(request.signature)
        confirmed = await self._agent.agents.verify_signature(
            (await self._agent.agents.whoami()).fingerprint, signature
        )
        verified = partial(
            verify_with_nonce, nonce=str(request.nonce), signature=signature, public_key=self._named["publicKey"]
        )
        return confirmed.valid and verified(text) and not verified(text + ".")


class Rest(Store):
    """The owner's diary, or that diary as another agent asks for it."""

    def __init__(
        self, session: aiohttp.ClientSession, place: str, signing: _Signing | None = None, other: Store | None = None
    ) -> None:
        self._session, self._place, self._signing, self._other = session, place, signing, other

    async def write(self, text: str) -> None:
        """Creates an entry."""
        await self._post(f"/diaries/{self._place}/entries", {"content": text})

    async def search(self, text: str) -> list[str]:
        """Searches the diary."""
        body = {"diaryId": self._place, "query": text, "limit": FOUND}
        return [each["content"] for each in (await self._post("/diaries/search", body))["results"]]

    async def contents(self) -> list[str]:
        """Page by page."""
        found = list[str]()
        while True:
            path = f"/diaries/{self._place}/entries?limit={PAGE}&offset={len(found)}"
            async with self._session.get(path) as answer:
                answer.raise_for_status()
                page = (await answer.json())["items"]
            if not page:
                return found
            found += [each["content"] for each in page]

    def stranger(self) -> Store:
        """With another agent's token."""
        return self._other or self

    async def signature(self, text: str) -> bool | None:
        """Signed by a request, and confirmed by the network and by the key alone."""
        return await self._signing(text) if self._signing else None

    async def _post(self, path: str, body: dict[str, object]) -> dict[str, list[dict[str, str]]]:
        async with self._session.post(path, json=body) as answer:
            answer.raise_for_status()
            return dict(await answer.json())


class Library(Store):
    """The owner's diary, or that diary as another agent of the process asks for it."""

    def __init__(
        self, agent: Agent, place: DiaryId, signing: _Signing | None = None, other: Store | None = None
    ) -> None:
        self._agent, self._place, self._signing, self._other = agent, place, signing, other

    async def write(self, text: str) -> None:
        """Creates an entry."""
        await self._agent.diary.create(self._place, content=text)

    async def search(self, text: str) -> list[str]:
        """Searches the diary."""
        found = await self._agent.diary.search(text, diary_id=self._place, limit=FOUND)
        return [each.entry.content for each in found.hits]

    async def contents(self) -> list[str]:
        """Page by page."""
        found = list[str]()
        while True:
            page, _ = await self._agent.diary.list(self._place, limit=PAGE, offset=len(found))
            if not page:
                return found
            found += [each.content for each in page]

    def stranger(self) -> Store:
        """As another agent."""
        return self._other or self

    async def signature(self, text: str) -> bool | None:
        """As by REST."""
        return await self._signing(text) if self._signing else None


OURS: dict[str, Callable[[Path], AbstractAsyncContextManager[Store]]] = {
    "MoltNet, REST": through_rest,
    "MoltNet, library": by_library,
    "MoltNet, one model": partial(through_rest, expands=False),
}
"""By the name in the table: what opens a store in a folder."""


def _agents(folder: Path) -> list[Named]:
    """The agents of a folder's network, founded when it is opened first."""
    kept = folder / "agents.json"
    if not kept.exists():
        kept.write_text(json.dumps(founders(folder / "network", 2)), encoding="utf-8")
    return [dict(each) for each in json.loads(kept.read_text(encoding="utf-8"))]


def _session(url: str, named: Named) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {named['accessToken']}"})
