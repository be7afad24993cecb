"""Pictures of every page, in both colour schemes, wide and narrow: `make screenshots`."""

import asyncio
import sys
from itertools import product
from pathlib import Path

from playwright.async_api import Page

from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library.network import MoltNet
from tests.support.browser import SCHEMES, a_browser, a_window
from tests.support.web_stage import a_stage, pages_behind_forms, sign_in
from tests.support.web_story import told_in


async def main(folder: Path, names: set[str]) -> None:
    """Writes `NAME-SCHEME-WIDTH.png` for each page, or for those that are named."""
    other_stage = a_stage(with_content=False, operator_token="-" * 16, is_operators_machine=False)
    async with a_stage() as stage, other_stage as other, a_browser() as browser:
        story = await told_in(MoltNet(stage.services, NetworkUrls(api_url=stage.url)))
        for scheme, width in product(SCHEMES, (1280, 390)):
            async with a_window(browser, url=stage.url, width=width, scheme=scheme) as window:
                for name, path in {
                    "sign-in": "/console/sign-in",
                    "operator-sign-in": f"{other.url}/operator",
                    **story.pages,
                }.items():
                    await _shoot(window.page, path, folder / f"{name}-{scheme}-{width}.png", names)
                await sign_in(window.page, stage.ada)
                for name, path in stage.pages.items():
                    await _shoot(window.page, path, folder / f"{name}-{scheme}-{width}.png", names)
                async for name in pages_behind_forms(window.page, stage):
                    await _shoot(window.page, None, folder / f"{name}-{scheme}-{width}.png", names)


async def _shoot(page: Page, path: str | None, file: Path, names: set[str]) -> None:
    """A picture of a page, or of the one that is shown."""
    if not names or file.name.rsplit("-", 2)[0] in names:
        if path:
            await page.goto(path)
        await page.screenshot(path=file, full_page=True)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(exist_ok=True, parents=True)
    asyncio.run(main(Path(sys.argv[1]), set(sys.argv[2:])))
