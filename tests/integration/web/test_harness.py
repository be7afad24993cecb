"""What looks at pages in a browser sees what it looks for."""

import pytest
import pytest_asyncio

from tests.support.browser import a_browser, a_window, needs_chromium

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]
BAD = (
    "<title>x</title><div style='width:3000px'>wide</div><img src='data:,'><p style='color:#eee;background:#fff'>faint"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with a_browser() as browser:
        yield browser


async def test_a_bad_page_is_found_out(browser, tmp_path):
    (tmp_path / "bad.html").write_text(BAD)
    async with a_window(browser, width=360) as window:
        await window.page.goto((tmp_path / "bad.html").as_uri())
        assert any("3000px" in each for each in await window.overflowing())
        found = " ".join(await window.violations())
        assert "image-alt" in found
        assert "color-contrast" in found
        assert "dark: color-contrast" in " ".join(await window.violations_in_both_schemes())
        await window.page.evaluate("console.error('complaint')")
        assert window.complaints == ["complaint"]


async def test_a_breach_of_the_policy_is_found_out(browser, tmp_path):
    policy = "<meta http-equiv='Content-Security-Policy' content=\"style-src 'none'\">"
    (tmp_path / "bad.html").write_text(f"<!doctype html>{policy}<p style='color:red'>x")
    with pytest.raises(AssertionError, match="Content Security Policy"):
        async with a_window(browser) as window:
            await window.page.goto((tmp_path / "bad.html").as_uri())
