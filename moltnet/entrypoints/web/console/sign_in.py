"""Signing in and out: by the client secret, by the key in the browser, or by a one-time link."""

from typing import Annotated

import attrs
from aiohttp import web

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Description
from moltnet.domain.credentials import Scope
from moltnet.domain.errors import MoltNetError
from moltnet.domain.services.web_sessions import SignedIn
from moltnet.domain.web_sessions import LINK_LIFETIME, SignInChallenge
from moltnet.entrypoints.rest.routing import Answer, Call, Route
from moltnet.entrypoints.schema.views import view
from moltnet.entrypoints.web.console import cookies
from moltnet.entrypoints.web.console.endpoint import (
    HOME,
    SIGN_IN,
    ConsoleRequest,
    ConsoleRoute,
    safe_path,
    see_other,
)
from moltnet.entrypoints.web.routing import Html

_ENTER = "/console/enter/{code}"


async def _sign_in_page(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html | web.Response:
    if asked.browser is not None and refused is None:
        return see_other(HOME)
    values = {
        "next": safe_path(asked.fields.text("next")),
        "client_id": asked.fields.text("client_id"),
        "refused": refused,
        "link_minutes": int(LINK_LIFETIME.total_seconds() // 60),
    }
    return Html("console/sign_in.html", values)


async def _again(asked: ConsoleRequest, refused: MoltNetError) -> Html:
    page = await _sign_in_page(asked, refused)
    assert isinstance(page, Html)  # noqa: S101 - a refusal is always shown
    return page


async def _by_secret(asked: ConsoleRequest) -> web.Response:
    fields = asked.fields
    signed_in = await asked.services.web_sessions.by_secret(
        fields.text("client_id").strip(),
        fields.text("client_secret").strip(),
        asked.device,
        read_only=fields.is_on("read_only"),
    )
    return await _enter(asked, signed_in)


async def _challenge(asked: ConsoleRequest) -> web.Response:
    challenge = asked.services.web_sessions.challenge()
    return web.json_response({"challenge": challenge.text, "mac": challenge.mac})


async def _by_key(asked: ConsoleRequest) -> web.Response:
    fields = asked.fields
    challenge = SignInChallenge(text=fields.text("challenge"), mac=fields.text("mac"))
    signed_in = await asked.services.web_sessions.by_key(
        challenge, fields.text("signature"), fields.text("public_key"), asked.device
    )
    return await _enter(asked, signed_in)


async def _link_page(asked: ConsoleRequest) -> Html:
    agent = await asked.services.web_sessions.agent_of_link(asked.part("code"))
    return Html("console/enter.html", {"fingerprint": agent.fingerprint})


async def _by_link(asked: ConsoleRequest) -> web.Response:
    return await _enter(asked, await asked.services.web_sessions.by_link(asked.part("code"), asked.device))


async def _enter(asked: ConsoleRequest, signed_in: SignedIn) -> web.Response:
    """Goes on under a fresh token: whatever the browser showed before, nobody who knew it is signed in by this."""
    if asked.browser is not None:
        await asked.services.web_sessions.end(asked.caller, asked.browser.session.id)
    answer = see_other(safe_path(asked.fields.text("next")))
    cookies.set_token(asked.request, answer, signed_in.token)
    return answer


async def _sign_out(asked: ConsoleRequest) -> web.Response:
    await asked.services.web_sessions.end(asked.caller, asked.signed_in.session.id)
    answer = see_other(SIGN_IN, "signed-out")
    cookies.set_token(asked.request, answer, asked.services.web_sessions.anonymous_token())
    return answer


@attrs.frozen(kw_only=True)
class SignInPath:
    """A one-time way into the console."""

    path: Annotated[str, Description("Below the network's address; a secret")]
    expires_in: Annotated[int, Description("Seconds")]


view(SignInPath, "SignInPath", "A one-time way into the console.", "path expires_in")


async def _link(call: Call[None, None, None]) -> Answer:
    """Make a one-time link into the console."""
    code = await call.services.web_sessions.link(call.agent)
    return Answer(SignInPath(path=f"/console/enter/{code}", expires_in=int(LINK_LIFETIME.total_seconds())), status=201)


ROUTES = (
    ConsoleRoute("GET", SIGN_IN, _sign_in_page, is_open=True),
    ConsoleRoute("POST", SIGN_IN, _by_secret, again=_again, is_open=True, tier=Tier.RECOVERY, act="sign-in"),
    ConsoleRoute("GET", "/console/challenge", _challenge, is_open=True, tier=Tier.RECOVERY, act="sign-in-challenge"),
    ConsoleRoute(
        "POST", "/console/sign-in/key", _by_key, again=_again, is_open=True, tier=Tier.RECOVERY, act="sign-in"
    ),
    ConsoleRoute("GET", _ENTER, _link_page, is_open=True),
    ConsoleRoute("POST", _ENTER, _by_link, is_open=True, tier=Tier.RECOVERY, act="sign-in"),
    ConsoleRoute("POST", "/console/sign-out", _sign_out),
)

LINK_ROUTE = Route(
    "POST",
    "/console/links",
    "createSignInLink",
    "auth",
    _link,
    scopes=(Scope.AGENT_PROFILE,),
    answers={201: SignInPath},
    documented=False,
)
