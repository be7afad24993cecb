"""Who sees the operator's page, and what stands on it."""

import asyncio
from http import HTTPStatus

import attrs

from moltnet.adapters.system import SystemClock
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.indexing import ModelName, ModelReference
from moltnet.domain.services.maintenance import ReadinessService
from moltnet.domain.services.statistics import StatisticsService
from tests.support.browser import WIDTHS, a_browser, a_window, needs_chromium
from tests.support.console_client import a_console_client
from tests.support.web_stage import a_stage

TOKEN = "an operator's token"


async def test_at_the_operators_machine_it_is_open_but_not_to_other_sites():
    async with a_stage() as stage, a_console_client(stage.url) as client:
        await client.sign_in(stage.ada)
        await client.get("/console/diaries")
        page = await client.get("/operator")
        assert page.status == HTTPStatus.OK
        for words in (
            "All parts of this process answer",
            stage.ada.fingerprint,
            "What is stored",
            "New entries",
            "in memory",
        ):
            assert words in page.text
        assert (await client.get("/operator", Origin="https://evil.example")).status == HTTPStatus.FORBIDDEN
        for header in ("Forwarded", "Via", "X_Forwarded_For", "X_Real_IP"):
            assert (await client.get("/operator", **{header: "192.0.2.1"})).status == HTTPStatus.SEE_OTHER
        assert "no-store" in page.headers["Cache-Control"]
        assert page.headers["X-Frame-Options"] == "DENY"


async def test_elsewhere_it_takes_the_token_and_nobody_elses():
    async with (
        a_stage(with_content=False, operator_token=TOKEN, is_operators_machine=False) as stage,
        a_console_client(stage.url) as client,
    ):
        page = await client.get("/operator")
        assert (page.status, page.location) == (HTTPStatus.SEE_OTHER, "/operator/sign-in")
        await client.sign_in(stage.ada)
        assert (await client.get("/operator")).status == HTTPStatus.SEE_OTHER
        wrong = await client.post("/operator/sign-in", form_page="/operator/sign-in", token=TOKEN + "x")
        assert wrong.status == HTTPStatus.UNAUTHORIZED
        assert "not the operator" in wrong.text
        page = await client.post("/operator/sign-in", form_page="/operator/sign-in", token=TOKEN)
        assert {"HttpOnly", "SameSite=Strict"} <= set(page.headers["Set-Cookie"].split("; "))
        assert (await client.get("/operator")).status == HTTPStatus.OK
        for path in ("/operator/sign-in", "/operator/sign-out"):
            for fields in ([], [("form-token", "0" * 64)]):
                assert (await client.send(path, [*fields, ("token", TOKEN)])).status == HTTPStatus.FORBIDDEN
        await client.post("/operator/sign-out", form_page="/operator")
        assert (await client.get("/operator")).status == HTTPStatus.SEE_OTHER
        for cookie in ("1.x", "99999999999.x", "x", f"99999999999.{'0' * 64}"):
            client.session.cookie_jar.clear()
            client.session.cookie_jar.update_cookies({"moltnet-operator": cookie})
            assert (await client.get("/operator")).status == HTTPStatus.SEE_OTHER


async def test_a_migration_of_the_model_is_shown_with_its_progress():
    async with a_stage() as stage, a_console_client(stage.url) as client:
        async with stage.services.statistics.storage.transaction() as work:
            await work.models.adopt(ModelReference(ModelName("first-384")))
            await work.models.aim(ModelReference(ModelName("second-384")))
        page = await client.get("/operator")
        assert "Moving to <code>second-384</code>: 0 of 40 entries. Searches use <code>first-384</code>" in page.text
        assert '<progress max="40" value="0"' in page.text
        assert "0 to deliver, 40 to embed" in page.text


@needs_chromium
async def test_the_operator_signs_in_by_a_form_that_keeps_nobody_out():
    async with (
        a_stage(with_content=False, operator_token=TOKEN, is_operators_machine=False) as stage,
        a_browser() as browser,
        a_window(browser, url=stage.url, width=WIDTHS[0]) as window,
    ):
        await window.page.goto("/operator")
        assert [*await window.violations_in_both_schemes(), *await window.overflowing()] == []
        await window.page.fill("#token", TOKEN)
        await window.page.get_by_role("button", name="Show").click()
        await window.page.get_by_role("heading", name="What is stored").wait_for()
        assert [*await window.violations_in_both_schemes(), *await window.overflowing()] == []
        await window.page.get_by_role("button", name="Sign out").click()
        await window.page.wait_for_url("**/operator/sign-in")
        assert window.complaints == []


async def test_the_page_is_there_while_the_database_is_not():
    asked = asyncio.Event()

    class Down:
        async def check(self) -> None:
            asked.set()
            raise StorageUnavailable

    readiness = ReadinessService({"database": Down(), "workflows": Down()}, every_s=0)

    def without_database(services):
        class Storage:
            def snapshot(self):
                raise StorageUnavailable

        return attrs.evolve(services, statistics=StatisticsService(storage=Storage(), clock=SystemClock()))

    async with a_stage(with_content=False, served=without_database) as stage, a_console_client(stage.url) as client:
        await client.sign_in(stage.ada)
        page = await client.get("/operator")
        assert page.status == HTTPStatus.OK
        assert "The database did not answer" in page.text
    async with (
        a_stage(with_content=False, served=lambda services: attrs.evolve(services, readiness=readiness)) as stage,
        a_console_client(stage.url) as client,
    ):
        watching = asyncio.create_task(readiness.watch())
        await asked.wait()
        watching.cancel()
        page = await client.get("/operator")
        assert page.status == HTTPStatus.OK
        assert StorageUnavailable.sentence in page.text


async def test_without_either_there_is_no_page():
    async with (
        a_stage(with_content=False, is_operators_machine=False) as stage,
        a_console_client(stage.url) as client,
    ):
        for path in ("/operator", "/operator/sign-in"):
            assert (await client.get(path)).status == HTTPStatus.NOT_FOUND
