"""Signed diaries in the console, in Chromium: the page signs what it shows, and the key stays in it."""

import pytest
import pytest_asyncio

from tests.support.browser import a_browser, a_window, needs_chromium
from tests.support.web_stage import a_stage, sign_in

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with a_browser() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage():
    async with a_stage(with_content=False) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def window(browser, stage):
    async with a_window(browser, url=stage.url) as window:
        await sign_in(window.page, stage.ada)
        yield window


@pytest_asyncio.fixture(loop_scope="module")
async def ledger(stage):
    return await stage.ada.agent.diaries.create(name="Ledger", signed=True)


@pytest.fixture
def file(stage, tmp_path):
    return stage.ada.write_credentials(tmp_path, stage.url)


async def test_entries_are_written_edited_and_deleted_with_a_key_that_stays_in_the_page(window, stage, file):
    page, sent = window.page, []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    await page.fill("#name", "Signed in the console")
    await page.get_by_label("Every entry is signed").check()
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("link", name="Write").click()
    await page.fill("#title", " Bill of May ")
    await page.fill("#content", "Paid 10\nto Bob: größer, 価値, 😀")
    await page.fill("#tags", "bill, cafe\u0301")
    await page.fill("#occurred", "2026-05-04")
    await page.set_input_files("#key-file", file)
    await page.get_by_role("button", name="Sign and remember").click()
    await page.get_by_role("status").get_by_text("Remembered").wait_for()
    await page.get_by_role("link", name="Edit").click()
    assert await page.input_value("#tags") == "bill, caf\u00e9"
    await page.fill("#content", "Paid 11 to Bob")
    await page.set_input_files("#key-file", file)
    await page.get_by_role("button", name="Sign and remember").click()
    await page.get_by_role("heading", name="It replaced").wait_for()
    await page.get_by_role("link", name="Bill of May").click()
    await page.get_by_role("link", name="Delete").click()
    await page.set_input_files("#key-file", file)
    await page.get_by_role("button", name="Sign and delete").click()
    await page.get_by_role("status").get_by_text("Deleted").wait_for()
    (diary,) = [each for each in await stage.ada.agent.diaries.list() if each.name == "Signed in the console"]
    verdict = await stage.ada.agent.records.verify(diary.id, keys=[stage.ada.keys.public_key])
    assert (verdict.holds, verdict.head.sequence, verdict.removals) == (True, 3, 1)
    (left,), _ = await stage.ada.agent.diary.list(diary.id)
    assert (left.title, left.content, left.tags) == ("Bill of May", "Paid 11 to Bob", ("bill", "caf\u00e9"))
    assert not any(stage.ada.keys.seed_text[:20] in text for text in sent)
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert window.complaints == []


async def test_when_somebody_else_writes_meanwhile_the_page_signs_again(window, stage, ledger, file):
    page, agent = window.page, stage.ada.agent
    await page.goto(f"/console/diaries/{ledger.id}/write")
    written = []

    async def interrupted(route):
        if not written:
            written.append(await agent.diary.create(ledger.id, content="first"))
        await route.continue_()

    await page.route("**/records/submit", interrupted)
    await page.fill("#content", "second")
    await page.set_input_files("#key-file", file)
    await page.get_by_role("button", name="Sign and remember").click()
    await page.get_by_role("status").get_by_text("Remembered").wait_for()
    assert [record.content for record in await agent.records.list(ledger.id)] == ["first", "second"]


async def test_nothing_else_than_the_page_shows_is_signed_and_what_was_typed_stays(window, stage, ledger, file):
    page = window.page
    await page.goto(f"/console/diaries/{ledger.id}/write")

    async def changed(route):
        fields = route.request.post_data.replace("content=Paid+10", "content=Paid+99")
        await route.continue_(post_data=fields)

    await page.route("**/records/prepare", changed)
    await page.fill("#content", "Paid 10")
    await page.set_input_files("#key-file", file)
    await page.get_by_role("button", name="Sign and remember").click()
    await page.get_by_role("alert").get_by_text("not what this page shows").wait_for()
    assert await page.input_value("#content") == "Paid 10"
    assert (await stage.ada.agent.records.head(ledger.id)).sequence == 0


async def test_another_agents_key_and_a_missing_file_are_explained(window, stage, ledger, tmp_path):
    page = window.page
    await page.goto(f"/console/diaries/{ledger.id}/write")
    await page.fill("#content", "Paid 10")
    await page.get_by_role("button", name="Sign and remember").click()
    await page.get_by_role("alert").get_by_text("Choose the agent's moltnet.json").wait_for()
    await page.set_input_files("#key-file", stage.bob.write_credentials(tmp_path, stage.url))
    await page.get_by_role("button", name="Sign and remember").click()
    await page.get_by_role("alert").get_by_text("another agent's key").wait_for()
    await page.fill("#importance", "11")
    await page.evaluate("document.querySelector('form[data-record]').noValidate = true")
    await page.get_by_role("button", name="Sign and remember").click()
    await page.get_by_role("alert").get_by_text("importance").wait_for()


async def test_without_scripts_the_page_says_which_command_does_it(browser, stage, ledger):
    async with a_window(browser, url=stage.url, java_script_enabled=False) as window:
        await sign_in(window.page, stage.ada)
        await window.page.goto(f"/console/diaries/{ledger.id}/write")
        noscript = await window.page.locator("main noscript").inner_html()
        assert f"moltnet diary create - --diary-id {ledger.id}" in noscript
        assert not await window.page.locator("#content").is_visible()


async def test_what_a_signed_diary_does_not_take_is_refused_in_words(window, stage, ledger):
    entry = await stage.ada.agent.diary.create(ledger.id, content="kept")
    await window.page.goto(f"/console/diaries/{ledger.id}")
    assert await window.page.locator("input[name=id]").count() == 0
    await window.page.goto(f"/console/diaries/{ledger.id}/entries/{entry.id}/edit")
    await window.page.get_by_text("written, replaced and removed by signed records").wait_for()
