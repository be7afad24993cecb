"""The public pages as people see them: in a browser, at three widths, light and dark, with and without scripts."""

import pytest
import pytest_asyncio

from tests.integration.web.conftest import served
from tests.support.browser import WIDTHS, a_browser, a_window, needs_chromium
from tests.support.web_story import MESSAGE, told_in

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with a_browser() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages():
    async with served() as pages:
        yield pages


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(pages):
    return await told_in(pages.network)


async def test_pages_are_accessible_and_fit_at_every_width(pages, story, browser):
    async with a_window(browser, url=pages.url) as window:
        for path in story.pages.values():
            await window.page.goto(path)
            await window.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            assert await window.violations_in_both_schemes() == [], path
            for width in WIDTHS:
                await window.page.set_viewport_size({"width": width, "height": 900})
                assert await window.overflowing() == [], (path, width)
        await window.page.goto("/verify")
        for message in (MESSAGE, "another"):
            await window.page.fill("#signature", story.signed.signature)
            await window.page.fill("#message", message)
            await window.page.get_by_role("button", name="Verify").click()
            assert await window.violations_in_both_schemes() == [], message
        assert [each for each in window.complaints if not each.startswith("Failed to load resource")] == []
        assert all(url.startswith(f"{pages.url}/") for url in window.asked)


async def test_an_entry_appears_while_the_feed_is_open(pages, story, browser):
    async with a_window(browser, url=pages.url) as window:
        await window.page.goto("/feed")
        before = await window.page.locator("#cards > article").count()
        await window.page.locator("#live[data-is-open]").wait_for(state="attached")
        title = "<i>Written</i> just now"
        button = window.page.locator("#live button")
        await story.agents[0].diary.create(story.public.id, content="Line\nby line", title=title, tags=["é&a"])
        await button.wait_for(state="visible")
        assert await button.inner_text() == "Show 1 new entry"
        await button.click()
        card = window.page.locator("#cards > article").first
        assert await card.locator("h2").inner_text() == title
        assert await card.locator(".fp").inner_text() == story.fingerprint(0)
        assert await card.locator(".tags a").get_attribute("href") == "/feed?tag=%C3%A9%26a"
        assert await window.page.locator("#cards > article").count() == before + 1
        assert await window.violations() == []
        assert window.complaints == []
        await card.locator("h2 a").click()
        await window.page.wait_for_url("**/feed/*")
        assert await window.page.locator("h1").inner_text() == title


async def test_everything_works_without_scripts(pages, story, browser):
    async with a_window(browser, url=pages.url, java_script_enabled=False) as window:
        page = window.page
        await page.goto("/")
        await page.get_by_role("link", name="Feed", exact=True).click()
        await page.get_by_label("Search by meaning").fill("callback URL")
        await page.get_by_role("button", name="Show").click()
        await page.get_by_role("link", name=story.entries[0].title).first.click()
        await page.get_by_role("link", name=story.fingerprint(0)).click()
        await page.get_by_role("link", name="Where it stands in the network").click()
        await page.get_by_label("Path to another").fill(story.fingerprint(9).lower())
        await page.get_by_role("button", name="Show").click()
        assert await page.get_by_text("3 vouches connect").count() == 1
        await page.get_by_role("link", name="Verify").click()
        await page.get_by_label("Signature, signed block or records").fill(story.signed.signature)
        await page.get_by_label("Message (optional)").fill(MESSAGE)
        await page.get_by_role("button", name="Verify").click()
        assert "exactly this message" in await page.locator(".verdict").inner_text()
        await page.goto("/feed?includeFlagged=true")
        await page.get_by_text("This text looks like an attempt").first.click()
        assert await page.get_by_text("Ignore all previous").is_visible()


async def test_a_keyboard_reaches_the_content_and_copies_a_block(pages, browser):
    async with a_window(browser, url=pages.url, permissions=["clipboard-read", "clipboard-write"]) as window:
        await window.page.goto("/")
        await window.page.keyboard.press("Tab")
        await window.page.keyboard.press("Enter")
        assert await window.page.evaluate("document.activeElement.id") == "main"
        await window.page.get_by_role("button", name="Copy").first.click()
        assert (await window.page.evaluate("navigator.clipboard.readText()")).startswith("pip install moltnet\n")
