"""A browser without a window, driven over the Chrome DevTools protocol (chromedevtools.github.io/devtools-protocol)."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.live_server import until

CHROMIUM = shutil.which("chromium")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")


class Page:
    """One page; `events` are what the browser told of it, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.events: list[dict[str, Any]] = []
        self._socket = socket
        self._sent = 0

    async def command(self, method: str, **parameters: Any) -> Any:
        """Has the browser do something; raises RuntimeError where it can't."""
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": parameters})
        while (told := await self._socket.receive_json(timeout=20)).get("id") != self._sent:
            self.events.append(told)
        if "error" in told:
            raise RuntimeError(told["error"])
        return told["result"]

    async def open(self, url: str) -> None:
        """Goes to an address, and waits until everything of it is there."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.command(f"{domain}.enable")
        await self.command("Page.navigate", url=url)
        while not self.told("Page.loadEventFired"):
            self.events.append(await self._socket.receive_json(timeout=20))

    async def value(self, expression: str) -> Any:
        """What a piece of JavaScript gives in the page."""
        told = await self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(json.dumps(told["exceptionDetails"]))
        return told["result"].get("value")

    async def press(self, key: str, code: int) -> None:
        """Presses a key and lets it go; `code` is its virtual key code."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.command(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text
            )

    def told(self, method: str) -> list[dict[str, Any]]:
        """What was told by events of one kind."""
        return [event["params"] for event in self.events if event.get("method") == method]


@asynccontextmanager
async def a_page(profile: Path) -> AsyncIterator[Page]:
    """An empty page of a browser of its own, whose files are in `profile`."""
    assert CHROMIUM
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    browser = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        place = profile / "DevToolsActivePort"
        await until(lambda: place.exists() and len(place.read_text(encoding="ascii").splitlines()) == 2)
        port = place.read_text(encoding="ascii").split()[0]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.get("/json/list") as answer:
                targets = await answer.json(content_type=None)
            page = next(target for target in targets if target["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        browser.terminate()
        await browser.wait()
