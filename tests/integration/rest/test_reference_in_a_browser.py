"""`/docs` as a person sees it: in a browser, by mouse or by keyboard, on a wide and on a narrow screen."""

import pytest
import pytest_asyncio

from moltnet.entrypoints.rest.routes import ROUTES
from tests.integration.rest.conftest import a_network
from tests.support.browser import a_browser, a_window, needs_chromium

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]
NARROW = 375


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network_and_browser():
    async with a_network() as network, a_browser() as browser:
        yield network, browser


@pytest_asyncio.fixture(loop_scope="module")
async def window(network_and_browser):
    network, browser = network_and_browser
    async with a_window(browser, url=str(network.http.make_url("/"))) as window:
        await window.page.goto("/docs")
        yield window


async def test_every_operation_is_there_and_opens(window):
    listed = await window.page.locator("details > summary > code").all_inner_texts()
    assert set(listed) >= {f"{route.method} {route.path}" for route in ROUTES if route.documented}
    assert await window.page.locator("details[open]").count() == 0
    for operation in ("getWhoami", "createDiary"):
        await window.page.locator(f'nav a[href="#{operation}"]').click()
        assert await window.page.locator(f"#{operation}").is_visible()


async def test_nothing_is_asked_of_anyone_else_and_nothing_is_complained_of(window):
    here = await window.page.evaluate("location.origin")
    assert all(url.startswith(f"{here}/") for url in window.asked if not url.startswith("data:"))
    assert window.complaints == []


async def test_its_style_holds_under_the_content_security_policy(window):
    border = await window.page.evaluate("getComputedStyle(document.querySelector('details')).borderTopStyle")
    assert border == "solid"


async def test_a_narrow_screen_needs_no_scrolling_sideways(window):
    await window.page.set_viewport_size({"width": NARROW, "height": 700})
    await window.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert await window.overflowing() == []


async def test_a_keyboard_is_enough(window):
    """The first operation is reached by Tab from its entry in the contents, and opened by Enter."""
    await window.page.locator("nav a").last.focus()
    await window.page.keyboard.press("Tab")
    assert await window.page.evaluate("document.activeElement.tagName") == "SUMMARY"
    await window.page.keyboard.press("Enter")
    assert await window.page.evaluate("document.activeElement.parentElement.open")
