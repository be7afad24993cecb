"""Whatever one caller asks, the others are served: every route's and tool's costliest legal request, beside probes.

Requests come from the served OpenAPI document and from the listed tools, so a new route or argument is played too.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
import attrs
import pytest
import pytest_asyncio
from aiohttp.test_utils import unused_port

from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.postgres.terms import stored_terms
from moltnet.adapters.system import SMALL
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.entries import CONTENT_MAX
from moltnet.domain.injection import is_risky
from moltnet.domain.text import fold, folded
from moltnet.entrypoints.rest.bodies import SHORT
from moltnet.entrypoints.rest.json_text import from_json, to_json
from tests.support.costly import SCRIPTS, TAGS, costly, parameters, written
from tests.support.postgres import a_database
from tests.support.watched_loop import Turn, WatchedThread
from tests.support.watched_network import NONE, Headers, WatchedAgent, WatchedNetwork, WatchedReply, served

pytestmark = pytest.mark.real

EVERY_S = 0.05
BESIDE_S = 0.5
CALLBACK_S = 0.1
# A machine that is busy with something else for a moment is no fault of the server's: what was late is played again.
ATTEMPTS = 3
FIRST = "ligatures"
MESSAGE_MAX = 100_000
# The operations and tools that read a text of the caller's.
TEXTS = frozenset(
    {
        "createDiary", "createDiaryEntry", "updateDiaryEntry", "searchDiary", "searchPublicFeed",
        "createSigningRequest", "diary_create", "diary_update", "diary_search", "public_feed_search",
        "crypto_prepare_signature",
    }
)  # fmt: skip
AGENTS_ONLY = frozenset({"explain", "onlyMine"})
ENDS_TOKENS = frozenset({"rotateClientSecret"})
# What no request can be made good without more than the document tells: a challenge, a proof, an assertion.
REFUSED = {"verifyRecoveryChallenge": 400, "registerAgent": 400, "getOAuth2Token": 400}
NO_TURN = Turn(0.0, "")
SESSION_ID = "Mcp-Session-Id"
OPENING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "costly", "version": "1"}}
# What reads texts. On the event loop it may have only what is small.
READERS = {
    "is_risky": is_risky,
    "fold": fold,
    "folded": folded,
    "of_text": SnowballAnalyzer.of_text,
    "stored_words": stored_terms,
    "windows": OnnxEmbedder.windows,
}
WRITERS = {"from_json": from_json, "to_json": to_json}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WatchedNetwork]:
    """The network of all tests here, its server on a loop of its own."""
    port, thread = unused_port(), WatchedThread()
    thread.start()
    try:
        async with a_database() as conninfo:
            network = served(conninfo, tmp_path_factory.mktemp("network"), port)
            services = await thread.run(network.__aenter__())
            try:
                async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
                    yield WatchedNetwork(thread=thread, services=services, session=session)
            finally:
                await thread.run(network.__aexit__(None, None, None))
    finally:
        thread.stop()


@attrs.frozen(kw_only=True)
class Asked:
    """A request that is to be played."""

    name: str
    method: str
    path: str
    agent: WatchedAgent | None
    json: Any = None
    headers: Headers = NONE

    async def play(self, stage: WatchedNetwork) -> WatchedReply:
        """Its answer."""
        return await stage.ask(self.method, self.path, self.agent, self.json, self.headers)

    def without_token(self) -> "Asked":
        """The same by nobody, without what is only for agents."""
        body = {name: value for name, value in self.json.items() if name not in AGENTS_ONLY} if self.json else None
        return attrs.evolve(self, name=f"{self.name} without a token", agent=None, json=body)

    def is_answered(self, reply: WatchedReply) -> bool:
        """Whether it was carried out, so that what it costs was paid."""
        if self.path == "/mcp":
            return reply.status == 200 and "isError" not in reply.json["result"]
        return reply.status < 400 or reply.status == REFUSED.get(self.name.split()[0])


@attrs.frozen(kw_only=True)
class CostlyScene:
    """What there is to name: the full diary, an entry of it, and those who are there."""

    stage: WatchedNetwork
    ada: WatchedAgent
    bob: WatchedAgent
    diary: str
    entry: str
    readable: str  # the path of an entry that only Bob may read

    async def known(self, operation: str, script: str) -> dict[str, object]:
        """Values for the members of an operation that must name something: what it ends is made for it."""
        words, stage, ada = operation.lower(), self.stage, self.ada
        diary, entry, guest = self.diary, self.entry, self.bob
        if "share" in words and "list" not in words:
            guest = await stage.agent()
        if "delete" in words:
            diary = await stage.made("/diaries", ada, name="short-lived", visibility="private")
            entry = await stage.made(f"/diaries/{diary}/entries", ada, content=written(script, CONTENT_MAX))
        if "revoke" in words or "unshare" in words:
            await stage.made(f"/diaries/{diary}/share", ada, fingerprint=guest.fingerprint, role="writer")
        named = entry if "publicentry" in words else diary
        if "invitation" in words:
            theirs = await stage.made("/diaries", self.bob, name="Bob's", visibility="private")
            named = await stage.made(f"/diaries/{theirs}/share", self.bob, fingerprint=ada.fingerprint, role="writer")
        if "sign" in words and "verify" not in words:
            named = await stage.made("/crypto/signing-requests", ada, message=written(script, MESSAGE_MAX))
        return {
            "diaryid": diary,
            "diaryref": diary,
            "entryid": entry,
            "fingerprint": guest.fingerprint,
            "id": named,
            "invitationid": named,
            "requestid": named,
            "publickey": ada.public_key,
            "signature": "A" * 86 + "==",
            "hmac": "a" * 64,
            "vouchercode": "b" * 64,
            "type": "not-found",
            "clientid": ada.credentials["client_id"],
            "clientsecret": ada.credentials["client_secret"],
            "scope": "diary:read",
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(stage: WatchedNetwork) -> CostlyScene:
    """A full public diary of Ada's, and a diary of Bob's."""
    ada, bob = await stage.agent(), await stage.agent()
    diary = await stage.made("/diaries", ada, name="Everything", visibility="public")
    entry = ""
    for script in [*SCRIPTS] * 2:
        members = {"title": written(script, 255), "tags": TAGS, "importance": 10}
        entry = await stage.made(f"/diaries/{diary}/entries", ada, content=written(script, CONTENT_MAX), **members)
        await stage.made("/crypto/signing-requests", ada, message=written(script, MESSAGE_MAX))
    quiet = await stage.made("/diaries", bob, name="Quiet", visibility="private")
    plain = await stage.made(f"/diaries/{quiet}/entries", bob, content="The heron waits.")
    path = f"/diaries/{quiet}/entries/{plain}"
    return CostlyScene(stage=stage, ada=ada, bob=bob, diary=diary, entry=entry, readable=path)


async def of_routes(scene: CostlyScene, script: str) -> AsyncIterator[Asked]:
    """A request for each operation of the served document, and one without a token where it needs none.

    Of the second script on, only of those that hold a text.
    """
    document = (await scene.stage.ask("GET", "/openapi.json")).json
    components = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            if script != FIRST and name not in TEXTS:
                continue
            known = await scene.known(name, script)
            asked = Asked(
                name=f"{name} ({script})",
                method=method.upper(),
                path=_target(path, list(parameters(operation, script, known, components))),
                agent=await scene.stage.agent() if name in ENDS_TOKENS else scene.ada,
                json=_body(operation, script, known, components),
            )
            yield asked
            if {} in operation.get("security", [{}]) and name not in ENDS_TOKENS:
                yield asked.without_token()


async def of_tools(scene: CostlyScene, script: str) -> AsyncIterator[Asked]:
    """The same of each listed tool."""
    for agent in (scene.ada, None):
        opening = Asked(name="initialize", method="POST", path="/mcp", agent=agent, json=_call("initialize", OPENING))
        session = {SESSION_ID: (await opening.play(scene.stage)).headers[SESSION_ID]}
        listing = attrs.evolve(opening, name="tools/list", json=_call("tools/list", {}), headers=session)
        for tool in (await listing.play(scene.stage)).json["result"]["tools"]:
            name = tool["name"]
            is_refused = agent is None and any(each["type"] == "oauth2" for each in tool["_meta"]["securitySchemes"])
            if not is_refused and (script == FIRST or name in TEXTS):
                arguments = costly(tool["inputSchema"], script, await scene.known(name, script), {})
                call = _call("tools/call", {"name": name, "arguments": arguments})
                yield attrs.evolve(listing, name=f"{name} ({script}{'' if agent else ', anonymous'})", json=call)


def _target(path: str, values: list[tuple[str, str, str]]) -> str:
    query = []
    for where, name, value in values:
        if where == "path":
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        elif where == "query":
            query.append(f"{name}={quote(value, safe='')}")
    return f"{path}?{'&'.join(query)}" if query else path


def _body(
    operation: Mapping[str, Any], script: str, known: Mapping[str, object], components: Mapping[str, Any]
) -> dict[str, object] | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return costly(content["schema"], script, known, components) if content else None


def _call(method: str, params: Mapping[str, object]) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


@attrs.define
class Probes:
    """What others ask meanwhile, every 50 ms: whether the server is well, and an entry of their own."""

    scene: CostlyScene
    took: list[float] = attrs.field(factory=list)

    async def beside(self, asked: Asked | None) -> tuple[float, WatchedReply | None]:
        """The longest that any of them took while a request was played, or for a second, and what that was answered."""
        self.took.clear()
        over = asyncio.Event()
        probing = asyncio.create_task(self._probe(over))
        reply = None
        if asked is None:
            await asyncio.sleep(1)
        else:
            reply = await asked.play(self.scene.stage)
        over.set()
        await probing
        return max(self.took), reply

    async def _probe(self, over: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in itertools.count():
                tasks.create_task(self._one("/health", None))
                tasks.create_task(self._one(self.scene.readable, self.scene.bob))
                if over.is_set() and number:
                    return
                await asyncio.sleep(EVERY_S)

    async def _one(self, path: str, agent: WatchedAgent | None) -> None:
        before = time.monotonic()
        reply = await self.scene.stage.ask("GET", path, agent)
        self.took.append(time.monotonic() - before)
        assert reply.status == 200, reply.body[:300]


async def others_wait(scene: CostlyScene, played: AsyncIterator[Asked]) -> list[str]:
    """What held up the event loop or the probes, each with how long; it is played again before it counts."""
    probes, faults = Probes(scene), []
    idle, _ = await probes.beside(None)
    async for asked in played:
        for attempt in range(ATTEMPTS):
            scene.stage.thread.loop.longest = NO_TURN
            worst, reply = await probes.beside(asked)
            longest = scene.stage.thread.loop.longest
            if attempt == 0 and not (reply and asked.is_answered(reply)):
                faults.append(f"{asked.name} was answered {reply}")
            if worst <= idle + BESIDE_S and longest.seconds <= CALLBACK_S:
                break
        else:
            faults.append(f"{asked.name}: others waited {worst:.3f} s, one callback took {longest}")
    return faults


async def of_scripts(
    of: Callable[[CostlyScene, str], AsyncIterator[Asked]], scene: CostlyScene, scripts: Iterable[str]
) -> AsyncIterator[Asked]:
    """The requests of some scripts."""
    for script in scripts:
        async for asked in of(scene, script):
            yield asked


@pytest.mark.parametrize("of", [of_routes, of_tools], ids=["routes", "tools"])
@pytest.mark.asyncio(loop_scope="module")
async def test_no_request_has_a_long_text_read_on_the_event_loop(
    scene: CostlyScene, of: Callable[[CostlyScene, str], AsyncIterator[Asked]]
) -> None:
    await scene.stage.ask("GET", "/openapi.json")  # written once, whoever asks
    short = {"content": "The heron waits.", "title": "A heron"}
    with scene.stage.thread.noting({**READERS, **WRITERS}) as noted:
        await scene.stage.made(f"/diaries/{scene.diary}/entries", scene.ada, **short)
        async for asked in of(scene, FIRST):
            await asked.play(scene.stage)
    assert noted.keys() == {*READERS, *WRITERS}, "what was never seen shows nothing"
    assert {name: size for name, size in noted.items() if size > (SMALL if name in READERS else SHORT)} == {}


@pytest.mark.soak
@pytest.mark.asyncio(loop_scope="module")
async def test_others_are_served_beside_every_routes_costliest_request(scene: CostlyScene) -> None:
    assert await others_wait(scene, of_scripts(of_routes, scene, SCRIPTS)) == []


@pytest.mark.soak
@pytest.mark.asyncio(loop_scope="module")
async def test_others_are_served_beside_every_tools_costliest_call(scene: CostlyScene) -> None:
    # The tools stand on the routes' use cases: what is theirs alone, words and JSON, these scripts show.
    assert await others_wait(scene, of_scripts(of_tools, scene, (FIRST, "han", "escapes"))) == []
