"""What the console withstands: scripts in fields, forms of others, fixed sessions, open redirects, frames, caches."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import pytest_asyncio

from moltnet.domain.credentials import Scope
from moltnet.entrypoints.web.console.mount import ROUTES
from tests.support.console_client import a_console_client
from tests.support.web_stage import SCRIPT, a_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORMS = sorted({route.path for route in ROUTES if route.method == "POST"})
# What a form without fields does for good; it is not to be done here.
ENDINGS = {"/console/sign-out", "/console/vouchers", "/console/diaries/{diary}/delete"}
CLOSED = [route for route in ROUTES if not route.is_open]
FIELDS = (
    *("name", "title", "content", "tags", "tag", "type", "importance", "occurred", "from", "to", "writer", "state"),
    *(
        "order",
        "page",
        "q",
        "diary",
        "id",
        "action",
        "successor",
        "successor-id",
        "replaces",
        "fingerprint",
        "role",
        "visibility",
        "message",
    ),
    *("signature", "version", "status", "next", "client_id", "challenge", "mac", "public_key", "done", "confirmed"),
)
NASTY = (SCRIPT, "\0", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "9" * 400, "-1", "ـ" * 3000, "%00")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage():
    async with a_stage() as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def anyone(stage):
    async with a_console_client(stage.url) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def ada(stage):
    async with a_console_client(stage.url) as client:
        assert (await client.sign_in(stage.ada)).status == HTTPStatus.SEE_OTHER
        yield client


def a_path(template: str, stage) -> str:
    """A path in which every part names something of Ada's, or nothing."""
    entry = re.search(r"/console/diaries/([^/]+)/entries/([^/?]+)", stage.pages["entry"])
    named = {"diary": entry[1], "entry": entry[2], "request": stage.pages["signing-pending"].rsplit("/", 1)[1]}
    return re.sub(r"\{(\w+)\}", lambda part: named.get(part[1], str(uuid4())), template)


def addresses(stage, value: str) -> Iterator[str]:
    """Each page with every field at once; those that read their address, with each field by itself."""
    for name, path in stage.pages.items():
        page = path.partition("?")[0]
        yield f"{page}?{urlencode(dict.fromkeys(FIELDS, value))}"
        if name in {"diary", "search", "signing", "write"}:
            yield from (f"{page}?{urlencode({field: value})}" for field in FIELDS)


async def test_no_page_and_no_form_is_for_browsers_without_a_session(stage, anyone):
    for route in CLOSED:
        path = a_path(route.path, stage)
        if route.method == "GET":
            page = await anyone.get(path)
            assert (page.status, page.location.partition("?")[0]) == (HTTPStatus.SEE_OTHER, "/console/sign-in")
        else:
            page = await anyone.post(path, confirmed="1", name="taken", content="taken", message="taken")
            assert page.status == HTTPStatus.UNAUTHORIZED
            assert "what you typed is still there" in page.text


async def test_a_form_needs_the_token_of_this_browser(stage, ada, anyone):
    foreign = (await anyone.get("/console/sign-in")).form_token
    before = await stage.ada.agent.diaries.list(), await stage.ada.agent.vouch.list_active()
    for path in FORMS:
        for fields in ([], [("form-token", "")], [("form-token", foreign)], [("form-token", "é" * 64)]):
            page = await ada.send(a_path(path, stage), [*fields, ("name", "taken"), ("confirmed", "1")])
            assert page.status == HTTPStatus.FORBIDDEN, path
    assert (await stage.ada.agent.diaries.list(), await stage.ada.agent.vouch.list_active()) == before


async def test_pages_of_other_sites_get_nothing_even_those_that_may_use_the_interface(stage, ada):
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
    ):
        page = await ada.get("/console/diaries", **headers)
        assert page.status == HTTPStatus.FORBIDDEN
        assert "Deploys" not in page.text
        assert (await ada.send("/console/vouchers", [], **headers)).status == HTTPStatus.FORBIDDEN
    assert (await ada.get("/console/diaries", Origin=stage.url)).status == HTTPStatus.OK


async def test_signing_in_replaces_whatever_token_there_was(stage, anyone):
    await anyone.get("/console/sign-in")
    fixed = anyone.token
    await anyone.sign_in(stage.ada)
    first = anyone.token
    assert first != fixed
    async with a_console_client(stage.url) as attacker:
        await attacker.get("/console/sign-in")
        name = next(iter(attacker.session.cookie_jar)).key
        attacker.session.cookie_jar.update_cookies({name: fixed})
        assert (await attacker.get("/console/diaries")).status == HTTPStatus.SEE_OTHER
    await anyone.post("/console/sign-out", form_page="/console/diaries")
    assert anyone.token not in {fixed, first}
    async with a_console_client(stage.url) as attacker:
        attacker.session.cookie_jar.update_cookies({name: first})
        assert (await attacker.get("/console/diaries")).status == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize(
    "further",
    [
        *("https://evil.example/", "//evil.example", "/\\evil.example", "/console/\\evil", "javascript:alert(1)"),
        *("/console/../../docs\r\nSet-Cookie: a=b", "/feed", "/consolez/", "\t//evil.example", "/console/é"),
    ],
)
async def test_signing_in_leads_nowhere_else(stage, anyone, further):
    page = await anyone.sign_in(stage.ada, next=further)
    assert page.status == HTTPStatus.SEE_OTHER
    assert page.location == "/console"


async def test_signing_in_leads_back_to_the_page_that_was_asked_for(stage, anyone):
    asked = await anyone.get("/console/diaries?x=1")
    assert asked.location == "/console/sign-in?next=%2Fconsole%2Fdiaries%3Fx%3D1"
    assert (await anyone.sign_in(stage.ada, next="/console/diaries?x=1")).location == "/console/diaries?x=1"


async def test_pages_are_stored_by_nobody_and_framed_by_nobody(stage, ada):
    for path in ["/console", "/console/sign-in", *stage.pages.values()]:
        headers = (await ada.get(path)).headers
        assert "no-store" in headers["Cache-Control"]
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


async def test_the_cookie_is_for_the_server_alone(anyone):
    cookie = (await anyone.get("/console/sign-in")).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_under_https_cookies_are_for_https_alone():
    async with (
        a_stage(
            with_content=False, api_url="https://net.example", operator_token="-" * 16, is_operators_machine=False
        ) as stage,
        a_console_client(stage.url) as client,
    ):
        page = await client.get("/console/sign-in")
        operator = await client.send(
            "/operator/sign-in",
            [("form-token", page.form_token), ("token", "-" * 16)],
            Cookie=page.headers["Set-Cookie"].partition(";")[0],
        )
        assert page.headers["Set-Cookie"].startswith("__Host-moltnet=")
        assert operator.status == HTTPStatus.SEE_OTHER
        for answer in (page, operator):
            assert {"Secure", "HttpOnly", "SameSite=Strict"} <= set(answer.headers["Set-Cookie"].split("; "))


async def test_no_script_of_anybody_gets_out_of_its_text(stage, ada):
    for path in [*stage.pages.values(), *addresses(stage, "<script>document\"'>")]:
        text = (await ada.get(path)).text
        assert "<script>document" not in text
        assert 'document"' not in text


async def test_no_name_of_a_browser_gets_out_of_its_text(stage, anyone):
    form = await anyone.get("/console/sign-in")
    credentials = stage.bob.credentials
    await anyone.send(
        "/console/sign-in",
        [("form-token", form.form_token), ("client_id", credentials.client_id), ("client_secret", credentials.secret)],
        User_Agent=SCRIPT,
    )
    text = (await anyone.get("/console/account")).text
    assert "&lt;script&gt;document" in text
    assert "<script>document" not in text


async def test_what_cannot_be_done_to_all_says_to_how_many_it_was_done(stage, ada):
    diary = await stage.ada.agent.diaries.create(name="Partly")
    entries = [await stage.ada.agent.diary.create(diary.id, content=f"Number {number}") for number in range(2)]
    path = f"/console/diaries/{diary.id}"
    token = (await ada.get(path)).form_token
    fields = [("form-token", token), ("action", "delete"), ("confirmed", "1")]
    page = await ada.send(path, [*fields, ("id", entries[0].id), ("id", uuid4()), ("id", entries[1].id)])
    assert page.status == HTTPStatus.CONFLICT
    assert "1 of 3 entries are changed; the next is not: Entry not found" in page.text
    assert [entry.id for entry in (await stage.ada.agent.diary.list(diary.id))[0]] == [entries[1].id]


@pytest.mark.parametrize("value", NASTY)
async def test_no_field_of_any_form_breaks_the_server(stage, ada, value):
    token = (await ada.get("/console/diaries")).form_token
    for path in FORMS:
        if path in ENDINGS:
            continue
        fields = [("form-token", token), *((field, value) for field in FIELDS if field != "confirmed")]
        page = await ada.send(a_path(path, stage), fields)
        assert page.status < HTTPStatus.INTERNAL_SERVER_ERROR, (path, page.text)
        assert "<script>document" not in page.text
    for path in addresses(stage, value[:300]):
        assert (await ada.get(path)).status < HTTPStatus.INTERNAL_SERVER_ERROR, path


async def test_what_was_typed_is_still_there_after_a_refusal(stage, ada):
    write = stage.pages["write"]
    page = await ada.post(write, form_page=write, content="A long story", importance="many", tags="a, b")
    assert page.status == HTTPStatus.BAD_REQUEST
    for kept in ("A long story", 'value="a, b"', "importance: a whole number"):
        assert kept in page.text
    stale = await ada.send(write, [("form-token", "old"), ("content", "From before")])
    assert stale.status == HTTPStatus.FORBIDDEN
    assert "From before" in stale.text
    assert (await ada.send(write, [("form-token", stale.form_token), ("content", "From before")])).status == 303


async def test_an_edit_does_not_overwrite_another(stage, ada):
    edit = stage.pages["entry-edit"]
    form = await ada.get(edit)
    version = re.search(r'name="version" value="([^"]+)"', form.text)[1]
    fields = [("form-token", form.form_token), ("version", version), ("importance", 3), ("type", "semantic")]
    assert (await ada.send(edit, [*fields, ("content", "first")])).status == HTTPStatus.SEE_OTHER
    second = await ada.send(edit, [*fields, ("content", "second")])
    assert second.status in {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
    assert "second" in second.text


async def test_a_session_that_only_reads_changes_nothing(stage, anyone):
    await anyone.sign_in(stage.ada, read_only="1")
    before = await stage.ada.agent.diaries.list()
    token = (await anyone.get("/console/diaries")).form_token
    sessions = await stage.services.web_sessions.of(stage.ada.agent.caller)
    paths = [a_path(path, stage) for path in FORMS if "sign-" not in path and "enter" not in path]
    for path in [*paths, *(f"/console/account/sessions/{each.id}/end" for each in sessions[1:])]:
        fields = ("name", "content", "message", "title", "signature", "fingerprint")
        page = await anyone.send(
            path, [("form-token", token), ("confirmed", "1"), *((field, stage.bob.fingerprint) for field in fields)]
        )
        assert page.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}, path
    assert await stage.ada.agent.diaries.list() == before
    assert len(await stage.ada.agent.vouch.list_active()) == 1
    assert await stage.services.web_sessions.of(stage.ada.agent.caller) == sessions
    for name, path in stage.pages.items():
        page = await anyone.get(path)
        expected = not name.startswith(("invitations", "vouchers", "signing"))
        assert (page.status == HTTPStatus.OK) == expected, name
        assert "Invitations</a>" not in page.text


async def test_an_invitation_says_who_sent_it(stage, ada):
    page = await ada.get("/console/invitations")
    assert f'href="/agent/{stage.bob.fingerprint}"' in page.text
    assert "plans" not in page.text


async def test_nobody_sees_what_is_anothers(stage, anyone):
    await anyone.sign_in(stage.bob)
    for name, path in stage.pages.items():
        if re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", path):
            page = await anyone.get(path)
            assert page.status == HTTPStatus.NOT_FOUND, name
            assert "OAuth callback" not in page.text


async def test_a_link_signs_in_once_and_only_when_the_button_is_pressed(stage, anyone):
    caller = stage.bob.agent.caller
    code = await stage.services.web_sessions.link(caller)
    for _ in range(2):
        assert stage.bob.fingerprint in (await anyone.get(f"/console/enter/{code}")).text
    page = await anyone.post(f"/console/enter/{code}", form_page=f"/console/enter/{code}")
    assert (page.status, page.location) == (HTTPStatus.SEE_OTHER, "/console")
    again = await anyone.send(
        f"/console/enter/{code}", [("form-token", (await anyone.get("/console/diaries")).form_token)]
    )
    assert again.status == HTTPStatus.UNAUTHORIZED
    assert (await anyone.get("/console/enter/" + "x" * 90)).status == HTTPStatus.UNAUTHORIZED


async def test_a_link_is_made_with_a_token_that_has_every_scope(stage):
    credentials = stage.bob.credentials
    for scope, status in ((None, 201), (Scope.AGENT_PROFILE, 403), (Scope.DIARY_READ, 403)):
        token = await stage.services.credentials.token(str(credentials.client_id), credentials.secret, scope)
        async with a_console_client(stage.url) as client:
            headers = {"Authorization": f"Bearer {token.text}"}
            async with client.session.post("/console/links", headers=headers, json={}) as answer:
                assert answer.status == status
                if status == HTTPStatus.CREATED:
                    assert (await answer.json())["path"].startswith("/console/enter/")
    async with a_console_client(stage.url) as client, client.session.post("/console/links") as answer:
        assert answer.status == HTTPStatus.UNAUTHORIZED
