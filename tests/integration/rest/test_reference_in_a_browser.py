"""`/docs` as a person sees it: in a browser, by mouse or by keyboard, on a wide and on a narrow screen."""

import pytest

from moltnet.entrypoints.rest.routes import ROUTES
from tests.support.browser import CHROMIUM, a_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt install chromium)")
NARROW = {"width": 375, "height": 700, "deviceScaleFactor": 1, "mobile": True}
TAB, ENTER = ("Tab", 9), ("Enter", 13)


@pytest.fixture
async def page(network, tmp_path):
    async with a_page(tmp_path / "profile") as page:
        await page.open(str(network.http.make_url("/docs")))
        yield page


async def test_every_operation_is_there_and_opens(page):
    listed = await page.value("[...document.querySelectorAll('details > summary > code')].map(each => each.innerText)")
    assert set(listed) >= {f"{route.method} {route.path}" for route in ROUTES if route.documented}
    assert await page.value("[...document.querySelectorAll('details')].every(each => !each.open)")
    for operation in ("getWhoami", "createDiary"):
        await page.value(f"document.querySelector('nav a[href=\"#{operation}\"]').click()")
        assert await page.value(f"document.getElementById('{operation}').checkVisibility()")


async def test_nothing_is_asked_of_anyone_else_and_nothing_is_complained_of(page):
    asked = {told["request"]["url"] for told in page.told("Network.requestWillBeSent")}
    here = await page.value("location.origin")
    assert {url for url in asked if not url.startswith("data:")} <= {f"{here}/docs", f"{here}/favicon.ico"}
    assert not [told for told in page.told("Log.entryAdded") if "favicon" not in str(told)]
    assert not page.told("Runtime.exceptionThrown")


async def test_its_style_holds_under_the_content_security_policy(page):
    border = await page.value("getComputedStyle(document.querySelector('details')).borderTopStyle")
    assert border == "solid"


async def test_a_narrow_screen_needs_no_scrolling_sideways(page):
    await page.command("Emulation.setDeviceMetricsOverride", **NARROW)
    await page.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert await page.value("document.documentElement.scrollWidth") <= NARROW["width"]


async def test_a_keyboard_is_enough(page):
    """The first operation is reached by Tab from its entry in the contents, and opened by Enter."""
    await page.value("[...document.querySelectorAll('nav a')].at(-1).focus()")
    await page.press(*TAB)
    assert await page.value("document.activeElement.tagName") == "SUMMARY"
    await page.press(*ENTER)
    assert await page.value("document.activeElement.parentElement.open")
