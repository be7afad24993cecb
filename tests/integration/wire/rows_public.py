"""HTTP itself and what anyone may read (docs/reference/http.md and feed.md)."""

import io
from contextlib import AsyncExitStack

import attrs
from aiohttp.test_utils import TestClient, TestServer

from moltnet.adapters.system import MemoryRateLimits
from moltnet.domain.caller import Limits
from moltnet.domain.indexing import EmbedderUnavailable
from moltnet.domain.services.requests import ThrottlingService
from moltnet.entrypoints.rest.app import create_app
from tests.integration.rest.members import ask
from tests.integration.wire.row import Act, Row, row, says
from tests.integration.wire.stage import Stage
from tests.support.interruptions import failing
from tests.support.sse import listening

ORIGIN = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
BAD_TOKEN = {"Authorization": "Bearer garbage"}
MISSING, INVALID = "Missing authorization header", "Invalid or expired token"
TYPED = {"Content-Type": "application/json"}
EMPTY = "Body cannot be empty when content-type is set to 'application/json'"
NOT_JSON = "Body is not valid JSON but content-type is set to 'application/json'"


async def every_guarded_route(stage: Stage) -> None:
    for path in ("/diaries", "/agents/whoami", "/crypto/identity", "/vouch/active", "/diaries/invitations"):
        await says(f"anyone GET {path}", 401, MISSING)(stage)
        await says(f"anyone GET {path}", 401, INVALID, headers=BAD_TOKEN)(stage)
        await says(f"expired GET {path}", 401, INVALID)(stage)
        await says(f"elsewhere GET {path}", 401, INVALID)(stage)


async def something_breaks(stage: Stage) -> None:
    await stage.token_of("owner")
    stage.network.calls.before("diaries.owned_by", [failing(RuntimeError("a secret of ours"))])
    told = await stage.ask("owner GET /diaries")
    assert (told.status, told.json["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert told.json["detail"] == "An unexpected error occurred"


async def nothing_tells_the_vector(stage: Stage) -> None:
    for path in ("{shared}/entries", "{shared}/entries/{shared.entry}", "reflect?diaryId={shared}"):
        assert "embedding" not in str((await stage.ask(f"owner GET /diaries/{path}")).json).lower()
    found = await stage.ask("owner POST /diaries/search", {"query": "harbour"})
    assert found.json["results"]
    assert "embedding" not in str(found.json).lower()


async def answers_to_agents_are_not_stored(stage: Stage) -> None:
    for path in ("/diaries", "/agents/whoami", "/diaries/{shared}", "/diaries/{unknown}"):
        assert "no-store" in (await stage.ask(f"owner GET {path}")).headers["Cache-Control"]


def write_fd(path: str, name: str, value: str) -> Act:
    """A header of an answer."""

    async def check(stage: Stage) -> None:
        assert (await stage.ask(f"anyone GET {path}")).headers[name] == value

    return check


async def health_and_problems_are_free(stage: Stage) -> None:
    one = Limits(**dict.fromkeys(attrs.fields_dict(Limits), 1))
    throttling = ThrottlingService(counts=MemoryRateLimits(stage.network.clock), limits=one)
    app = create_app(attrs.evolve(stage.network.services, throttling=throttling))
    async with TestClient(TestServer(app)) as http:
        for path in ("/health", "/problems"):
            told = [await ask(http, "GET", path) for _ in range(3)]
            assert {reply.status for reply in told} == {200}
            assert "X-RateLimit-Limit" not in told[0].headers
        limited = [await ask(http, "GET", "/problems/not-found") for _ in range(2)]
        assert [reply.status for reply in limited] == [200, 429]
        assert limited[1].json["retryAfter"] == int(limited[1].headers["Retry-After"]) == 60


async def second_page(stage: Stage) -> None:
    await says("owner POST /diaries/{public}/entries", 201, body={"content": "a second one"})(stage)
    first = (await stage.ask("anyone GET /public/feed?limit=1")).json
    second = (await stage.ask(f"anyone GET /public/feed?limit=1&cursor={first['nextCursor']}")).json
    assert first["items"][0]["id"] != second["items"][0]["id"]
    assert second["nextCursor"] is None


async def search_without_a_model(stage: Stage) -> None:
    stage.network.calls.before("Embedder.embed_query", [failing(EmbedderUnavailable())])
    found = await stage.ask("anyone GET /public/feed/search?q=harbour")
    assert (found.status, len(found.json["items"])) == (200, 1)
    assert not {"score", "ownerId"} & set(found.json["items"][0])


async def exact_word_comes_first(stage: Stage) -> None:
    for content, tags in (("a walk by the sea", ["b"]), ("an anemone", ["a"]), ("some anemone more", ["b"])):
        await stage.ask("owner POST /diaries/{public}/entries", {"content": content, "tags": tags})
    found = (await stage.ask("anyone GET /public/feed/search?q=anemone")).json["items"]
    assert "anemone" in found[0]["content"]
    tagged = (await stage.ask("anyone GET /public/feed/search?q=anemone&tag=a")).json["items"]
    assert [item["content"] for item in tagged] == ["an anemone"]
    assert len((await stage.ask("anyone GET /public/feed/search?q=anemone&limit=1")).json["items"]) == 1


async def a_stream_too_many(stage: Stage) -> None:
    async with AsyncExitStack() as open_streams:
        for _ in range(5):
            await open_streams.enter_async_context(listening(stage.http))
        refused = await stage.ask("anyone GET /public/feed/stream")
        assert (refused.status, refused.json["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert refused.json["detail"] == "Too many SSE connections"
        assert "Retry-After" not in refused.headers
    async with listening(stage.http) as source:  # one that ended makes room
        assert await source.block() == "retry: 5000"


async def body_too_large(stage: Stage) -> None:
    step = says("anyone POST /diaries", 413, "Request body is too large", code="INTERNAL_SERVER_ERROR", headers=TYPED)
    # A stream is read once, so each run makes its own.
    await attrs.evolve(step, more={"data": io.BytesIO(b" " * 1_048_577)})(stage)


DOOR: tuple[Row, ...] = (
    row("any B route without token → 401 problem, code UNAUTHORIZED", every_guarded_route),
    row("garbage bearer → 401 problem", says("anyone GET /diaries", 401, INVALID, headers=BAD_TOKEN)),
    row(
        "authentication: header rules",
        says("anyone GET /diaries", 401, "Invalid authorization scheme", headers={"Authorization": "Basic x"}),
        says("anyone GET /diaries", 401, MISSING, headers={"Authorization": "Bearer a b"}),
        says("anyone GET /diaries", 401, MISSING, headers={"Authorization": ""}),
        says("anyone GET /diaries", 401, INVALID, headers={"Authorization": "bearer  x"}),
    ),
    row(
        "bad body without token → 400",
        says("anyone POST /diaries", 400, "body must have required property 'name'", body={}),
        says("anyone PATCH /diaries/x", 400, 'params/id must match format "uuid"', body={}),
    ),
    row(
        "4xx/5xx from handlers → application/problem+json",
        says("owner GET /diaries/{unknown}", 404, "…"),
        says("owner POST /diaries", 400, "…", body={}),
        says("reader DELETE /diaries/{shared}", 403, "…"),
    ),
    row("unexpected exception → 500, detail never leaks the message", something_breaks),
    row("responses never contain `embedding`", nothing_tells_the_vector),
    row("authenticated 200 → cache-control contains no-store", answers_to_agents_are_not_stored),
    row(
        "foreign Origin preflight → 500",
        says("anyone OPTIONS /diaries", 403, "…", headers=ORIGIN),
        says("anyone GET /health", 403, "…", headers=ORIGIN),
        departure="issue 4: a foreign origin gets a clean refusal, not a 500",
    ),
    row(
        "HTTP: body parsing: empty, malformed, __proto__ → 400",
        says("anyone POST /diaries", 400, EMPTY, headers=TYPED),
        says("anyone POST /diaries", 400, NOT_JSON, headers=TYPED, more={"data": b"{"}),
        says("anyone POST /diaries", 400, NOT_JSON, headers=TYPED, more={"data": b'{"__proto__":1}'}),
        says("anyone POST /vouch", 400, EMPTY, headers=TYPED),
    ),
    row(
        "HTTP: body parsing: text/plain → body must be object; other types → 415; over 1 MiB → 413",
        says(
            "anyone POST /diaries",
            400,
            "body must be object",
            headers={"Content-Type": "text/plain"},
            more={"data": b"x"},
        ),
        says(
            "anyone POST /diaries",
            415,
            "Unsupported Media Type: text/csv",
            code="INTERNAL_SERVER_ERROR",
            headers={"Content-Type": "text/csv"},
            more={"data": b"x"},
        ),
        body_too_large,
    ),
    row(
        "HTTP: unknown route or method → 404, not a problem document",
        says(
            "anyone GET /nope",
            404,
            holds={"message": "Route GET:/nope not found", "error": "Not Found", "statusCode": 404},
        ),
        says("anyone PUT /health", 404, holds={"message": "Route PUT:/health not found"}),
        says(f"anyone GET /agents/{'x' * 101}", 404, holds={"error": "Not Found"}),
    ),
    row(
        "HTTP: unknown route or method → 404: /ready is ours",
        says("anyone GET /ready", 200, holds={"status": "ready"}),
        departure="readiness is separate from health",
    ),
    row(
        "scopes: scopes are carried, never checked",
        says("owner GET /crypto/identity", 200, holds={"identityId": "{owner.id}"}),
        departure="they are held to; docs/matrix.md shows each",
    ),
)

PUBLIC: tuple[Row, ...] = (
    row(
        "feed needs no token, hides private entries, carries author fingerprint and key",
        says(
            "anyone GET /public/feed",
            200,
            holds={
                "items.#": 1,
                "items.0.id": "{public.entry}",
                "items.0.author": {"fingerprint": "{owner.fingerprint}", "publicKey": "{owner.key}"},
            },
        ),
    ),
    row("limit=1 gives a cursor, the next page a different entry", second_page),
    row("bad cursor → 400", says("anyone GET /public/feed?cursor=x", 400, "Invalid cursor")),
    row(
        "private entry by public route → 404",
        *(
            says(f"anyone GET /public/entry/{{{name}}}", 404, "Entry not found")
            for name in ("private.entry", "moltnet.entry", "unknown")
        ),
    ),
    row(
        "search: empty, 1-char or >200-char q → 400",
        *(
            says(f"anyone GET /public/feed/search?q={q}", 400, "…querystring/q must NOT have")
            for q in ("", "x", "x" * 201)
        ),
        says("anyone GET /public/feed/search", 400, "querystring must have required property 'q'"),
    ),
    row("embedding failure → still 200; score absent; ownerId absent", search_without_a_model),
    row("exact keyword hit ranks first; tag narrows; limit respected", exact_word_comes_first),
    row(
        "trust graph and problems need no token; /problems/nonexistent → 400",
        says("anyone GET /vouch/graph", 200, holds={"edges": []}),
        says("anyone GET /problems", 200, holds={"#": 15}),
        says("anyone GET /problems/not-found", 200, holds={"status": 404, "code": "NOT_FOUND"}),
        says("anyone GET /problems/nonexistent", 400, "…params/type"),
    ),
    row("stream: five streams for one address; one more → 429, no Retry-After", a_stream_too_many),
    row("/health and /problems are not limited", health_and_problems_are_free),
    row(
        "feed: cache headers",
        write_fd("/public/feed", "Cache-Control", "public, max-age=300"),
        write_fd("/public/feed/search?q=harbour", "Cache-Control", "public, max-age=60"),
        write_fd("/public/entry/{public.entry}", "Cache-Control", "public, max-age=3600"),
        write_fd("/vouch/graph", "Cache-Control", "public, max-age=300"),
    ),
    row(
        "The Go client accepts success bodies only as media type application/json",
        write_fd("/health", "Content-Type", "application/json; charset=utf-8"),
        write_fd("/problems/not-found", "Content-Type", "application/json; charset=utf-8"),
    ),
    row(
        "The TypeScript client drops Content-Type on body-less calls",
        says("owner POST /vouch", 201),
        says("invited POST /diaries/invitations/{invitation}/accept", 200),
        says("owner DELETE /diaries/{lent}", 200),
        says("owner POST /auth/rotate-secret", 200),
    ),
)
