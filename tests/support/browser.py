"""Debian's Chromium without a window, driven by Playwright; whatever it complains of is remembered."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import attrs
import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt install chromium)")
# Nothing is asked of anybody but the server under test.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = (360, 768, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Elements that reach beyond the window, unless they scroll by themselves.
_OVERFLOWING = """() => {
    const wide = document.documentElement.clientWidth + 1;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.body.querySelectorAll('*')].filter(each => each.getBoundingClientRect().right > wide)
        .slice(0, 5).map(each => each.outerHTML.slice(0, 160));
}"""
# Of a long list its beginning stands for the rest.
_VIOLATIONS = """async runOnly => (await axe.run({exclude: [['li:nth-child(n+14)']]}, {
    resultTypes: ['violations'], runOnly,
})).violations.map(each => [each.id, ...each.nodes.slice(0, 3).map(node => node.html.slice(0, 200))].join('\\n  '))"""
_ALL_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """A browser with no history; to be shared by the tests of a module."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        try:
            yield browser
        finally:
            await browser.close()


@attrs.define
class Window:
    """A page of a person's own: its cookies are nobody else's.

    `complaints` are errors in the console, exceptions, and breaches of the content security policy; `asked` are the
    addresses that were asked for.
    """

    page: Page
    complaints: list[str] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)

    async def overflowing(self) -> list[str]:
        """Elements that reach beyond the window's right edge; none where nobody has to scroll sideways."""
        found: list[str] = await self.page.evaluate(_OVERFLOWING)
        return found

    async def violations(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 AA and good practice."""
        await self.page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
        found: list[str] = await self.page.evaluate(_VIOLATIONS, _ALL_RULES)
        return found

    async def violations_in_both_schemes(self) -> list[str]:
        """The same in light colours; in dark ones, what depends on colours."""
        found = await self.violations()
        await self.page.emulate_media(color_scheme="dark")
        found += [f"dark: {each}" for each in await self.page.evaluate(_VIOLATIONS, _RULES_OF_COLOURS)]
        await self.page.emulate_media(color_scheme="light")
        return found


@asynccontextmanager
async def a_window(
    browser: Browser,
    *,
    url: str = "",
    width: int = 1440,
    height: int = 900,
    scheme: Literal["light", "dark"] = "light",
    **options: Any,
) -> AsyncIterator[Window]:
    """A window of a fresh profile; paths are below `url`, `options` are those of a Playwright context.

    Whatever is done in it must not breach the content security policy of its pages.
    """
    context = await browser.new_context(
        base_url=url, viewport={"width": width, "height": height}, color_scheme=scheme, **options
    )
    context.set_default_timeout(20_000)
    window = Window(await context.new_page())
    window.page.on("console", lambda message: window.complaints.append(message.text) if _is_bad(message) else None)
    window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
    window.page.on("request", lambda request: window.asked.append(request.url))
    try:
        yield window
        breaches = [text for text in window.complaints if "Content Security Policy" in text]
        assert not breaches, breaches
    finally:
        await context.close()


def _is_bad(message: Any) -> bool:
    return message.type in {"error", "warning"} and not message.location["url"].endswith("/favicon.ico")
