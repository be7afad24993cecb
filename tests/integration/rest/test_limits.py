"""Rate limits over REST (docs/reference/http.md, "Rate limits")."""

from datetime import timedelta
from ipaddress import ip_network

import attrs
import pytest

from moltnet.domain.caller import Limits, Tier
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.options import SERVICES, RestOptions
from moltnet.entrypoints.rest.routes import ROUTES
from tests.integration.rest import framework
from tests.integration.rest.framework import ORIGIN, act, read, route
from tests.integration.rest.members import ask

TWO = Limits(**dict.fromkeys(attrs.fields_dict(Limits), 2))
RATE_HEADERS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
BEHIND = RestOptions(trusted_proxies=(ip_network("127.0.0.0/8"),))
TIERS = {
    "searchDiary": Tier.EMBEDDING,
    "issueVoucher": Tier.VOUCH,
    "createSigningRequest": Tier.SIGNING,
    "prepareRecord": Tier.SIGNING,
    "rotateKey": Tier.SIGNING,
    "reportLostKey": Tier.SIGNING,
    "prepareRemoval": Tier.SIGNING,
    "requestRecoveryChallenge": Tier.RECOVERY,
    "verifyRecoveryChallenge": Tier.RECOVERY,
    "verifyCryptoSignature": Tier.PUBLIC_VERIFY,
    "verifyAgentSignature": Tier.PUBLIC_VERIFY,
    "searchPublicFeed": Tier.PUBLIC_SEARCH,
}


def test_every_route_has_the_tier_of_the_contract():
    for declared in ROUTES:
        if declared.operation_id == "streamPublicFeed":
            assert declared.tier is None  # has a count of its own
        elif declared.operation_id == "getReady":
            assert declared.tier is None  # looks nothing up, and must never hold up who watches over the server
        else:
            assert declared.tier is TIERS.get(declared.operation_id, Tier.GLOBAL), declared.operation_id
    assert {declared.path for declared in ROUTES if declared.free_when_bare} == {"/health", "/problems"}


@pytest.fixture
async def limited(serve):
    """A server where everybody may do everything twice a minute."""
    return await serve(framework.ROUTES, limits=TWO)


async def test_one_too_many_learns_when_to_come_back(limited, clock):
    for remaining in ("1", "0"):
        answer = await ask(limited, "GET", "/open")
        assert answer.status == 200
        assert answer.headers["X-RateLimit-Limit"] == "2"
        assert answer.headers["X-RateLimit-Remaining"] == remaining
        assert answer.headers["X-RateLimit-Reset"] == "60"
        assert "Retry-After" not in answer.headers
    clock.advance(timedelta(seconds=17.5))
    refused = await ask(limited, "GET", "/open?limit=1")
    assert refused.json == {
        "type": "https://themolt.net/problems/rate-limit-exceeded",
        "title": "Rate Limit Exceeded",
        "status": 429,
        "code": "RATE_LIMIT_EXCEEDED",
        "detail": "Too many requests. Please retry after 43 seconds.",
        "instance": "/open?limit=1",
        "retryAfter": 43,
    }
    assert refused.headers["Retry-After"] == refused.headers["X-RateLimit-Reset"] == "43"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    clock.advance(timedelta(seconds=42.5))
    assert (await ask(limited, "GET", "/open")).status == 200


async def test_errors_are_counted_and_reported_too(limited):
    for status in (400, 500):
        answer = await ask(limited, "GET", "/broken" if status == 500 else "/open?limit=0")
        assert answer.status == status
        assert set(answer.headers) >= RATE_HEADERS
    assert (await ask(limited, "GET", "/open")).status == 429


async def test_agent_is_counted_by_itself_wherever_it_comes_from(serve, bearer, narrow_bearer):
    http = await serve(framework.ROUTES, BEHIND, Limits(global_auth=3, global_anon=2))
    for number in range(3):
        from_anywhere = bearer | {"X-Forwarded-For": f"192.0.2.{number}"}
        answer = await ask(http, "GET", "/closed", headers=from_anywhere)
        assert (answer.status, answer.headers["X-RateLimit-Limit"]) == (200, "3")
    assert (await ask(http, "GET", "/closed", headers=bearer)).status == 429
    assert (await ask(http, "GET", "/maybe", headers=narrow_bearer)).status == 200
    assert (await ask(http, "GET", "/maybe")).headers["X-RateLimit-Remaining"] == "1"


async def test_token_that_is_not_good_counts_for_the_address(limited):
    for authorization in ("Bearer nobody", "Basic x", "Bearer nobody else"):
        told = await ask(limited, "GET", "/closed", headers={"Authorization": authorization})
    assert told.status == 429


async def test_token_is_not_looked_at_where_a_route_does_not_read_it(limited, bearer):
    for _ in range(2):
        assert (await ask(limited, "GET", "/open", headers=bearer)).status == 200
    assert (await ask(limited, "GET", "/open")).status == 429


async def test_throttled_request_reaches_neither_body_nor_form_nor_token(limited):
    for _ in range(2):
        await ask(limited, "POST", "/notes", json={"text": "x"})
    for options in ({"data": b"{", "headers": {"Content-Type": "application/json"}}, {"json": {}}, {"data": b"<a/>"}):
        assert (await ask(limited, "POST", "/notes", **options)).status == 429
    assert (await ask(limited, "GET", "/closed")).status == 429


async def test_throttled_request_of_a_known_agent_is_not_stored_as_a_personal_answer(limited, bearer):
    for _ in range(3):
        answer = await ask(limited, "GET", "/closed", headers=bearer)
    assert answer.status == 429
    assert "Cache-Control" not in answer.headers


async def test_foreign_origins_preflights_and_unknown_routes_are_not_counted(limited):
    preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    for _ in range(3):
        foreign = await limited.get("/open", headers={"Origin": "https://evil.example"})
        asked = await limited.options("/open", headers=preflight)
        unknown = await limited.get("/nope")
        too_long = await limited.get(f"/names/{'x' * 101}")
        assert [each.status for each in (foreign, asked, unknown, too_long)] == [403, 204, 404, 404]
        for answer in (foreign, asked, unknown, too_long):
            assert not RATE_HEADERS & set(answer.headers)
    assert (await ask(limited, "GET", "/open")).headers["X-RateLimit-Remaining"] == "1"


async def test_head_counts(limited):
    async with limited.head("/open") as answer:
        assert answer.headers["X-RateLimit-Remaining"] == "1"
    async with limited.head("/open") as answer:
        assert answer.headers["X-RateLimit-Remaining"] == "0"
    async with limited.head("/open") as answer:
        assert (answer.status, await answer.read()) == (429, b"")


async def test_acts_with_a_tier_are_counted_apart_from_all_others(serve):
    routes = (
        route("GET", "/open", read, auth=Auth.NONE, query=framework.Paging),
        route("POST", "/one", act, auth=Auth.NONE, tier=Tier.RECOVERY),
        route("POST", "/other", act, auth=Auth.NONE, tier=Tier.RECOVERY),
    )
    http = await serve(routes, limits=Limits(recovery=1, global_anon=1))
    for method, path in (("POST", "/one"), ("POST", "/other"), ("GET", "/open")):
        assert (await ask(http, method, path)).status == 200
        assert (await ask(http, method, path)).status == 429


async def test_health_and_problems_are_free_without_a_query_only(serve):
    http = await serve(ROUTES, limits=TWO)
    for path in ("/health", "/problems"):
        for _ in range(5):
            answer = await ask(http, "GET", path)
            assert answer.status == 200
            assert not RATE_HEADERS & set(answer.headers)
    for path in ("/health?x", "/problems?x"):
        assert set((await ask(http, "GET", path)).headers) >= RATE_HEADERS
    assert (await ask(http, "GET", "/problems/not-found")).status == 429


async def test_forwarded_header_is_trusted_of_trusted_proxies_only(serve):
    for options, statuses in ((None, [200, 200, 429, 429]), (BEHIND, [200, 200, 200, 200])):
        http = await serve(framework.ROUTES, options, TWO)
        told = [
            await ask(http, "GET", "/open", headers={"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(4)
        ]
        assert [each.status for each in told] == statuses


async def test_client_cannot_choose_its_own_address(serve):
    http = await serve(framework.ROUTES, BEHIND, TWO)
    told = [
        await ask(http, "GET", "/open", headers={"X-Forwarded-For": f"203.0.113.{number}, 192.0.2.1"})
        for number in range(3)
    ]
    assert [each.status for each in told] == [200, 200, 429]


async def test_refusal_is_a_problem_even_where_a_route_states_refusals_its_own_way(limited):
    for _ in range(3):
        answer = await ask(limited, "POST", "/token", data={"grant_type": "x"})
    assert answer.told[:2] == (429, "RATE_LIMIT_EXCEEDED")
    assert answer.headers["Retry-After"] == "60"


def test_both_paths_of_the_search_are_one_act():
    acts = {(each.operation_id, each.tier) for each in ROUTES if each.path in {"/diaries/search", "/diary/search"}}
    assert acts == {("searchDiary", Tier.EMBEDDING)}


async def test_token_is_verified_once_for_each_request(serve, bearer):
    http = await serve(framework.ROUTES)
    services = http.server.app[SERVICES]
    verified: list[str] = []

    class Counting:
        async def authenticate(self, token: str, before_remote_call):
            verified.append(token)
            return await known.authenticate(token, before_remote_call)

    known, services.authentication = services.authentication, Counting()
    assert (await ask(http, "GET", "/closed", headers=bearer)).status == 200
    assert len(verified) == 1
