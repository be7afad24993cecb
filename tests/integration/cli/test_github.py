"""An agent that pushes as a GitHub App, against a stand-in that answers as GitHub's documentation says."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import RSAKey

from moltnet.adapters.github import AppNotConfigured, GitHubApp, GitHubUnavailable

KEY = RSAKey.generate_key(2048)
SECTION = {"app_id": "42", "installation_id": "7", "private_key_path": "k", "app_slug": "bot"}


async def _user(request: web.Request) -> web.Response:
    if request.match_info["login"] != "bot[bot]":
        return web.json_response({"message": "Not Found"}, status=404)
    return web.json_response({"id": 99})


async def _token(request: web.Request) -> web.Response:
    claims = jwt.decode(request.headers["Authorization"].removeprefix("Bearer "), KEY, algorithms=["RS256"]).claims
    good = claims["iss"] == "42" and request.headers["X-GitHub-Api-Version"] == "2022-11-28"
    return web.json_response({"token": "ghs_x"} if good else {}, status=201)


@pytest.fixture
async def api() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/users/{login}", _user)
    app.router.add_post("/app/installations/7/access_tokens", _token)
    async with TestServer(app) as server:
        yield str(server.make_url("")).removesuffix("/")


async def test_bot_and_token(api: str) -> None:
    app = GitHubApp(section=SECTION, api=api)
    assert await app.bot_id("bot") == 99
    assert await app.token(KEY.as_pem(private=True).decode()) == "ghs_x"


@pytest.mark.parametrize("slug", ["other", "../x", ""])
async def test_unknown_app_is_reported_in_one_sentence(api: str, slug: str) -> None:
    with pytest.raises(GitHubUnavailable):
        await GitHubApp(section=SECTION, api=api).bot_id(slug)


async def test_nobody_at_githubs_address_is_reported_in_one_sentence() -> None:
    with pytest.raises(GitHubUnavailable, match="cannot be reached"):
        await GitHubApp(section=SECTION, api="http://127.0.0.1:1").bot_id("bot")


@pytest.mark.parametrize("missing", ["app_id", "installation_id"])
async def test_what_the_file_lacks_is_named(missing: str) -> None:
    section = {name: value for name, value in SECTION.items() if name != missing}
    with pytest.raises(AppNotConfigured, match=missing):
        await GitHubApp(section=section).token(KEY.as_pem(private=True).decode())
