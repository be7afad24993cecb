"""What this server adds to a request: `GET /agents/whoami` beside a handler of bare aiohttp, in the same run.

`python -m bench.overhead`. Each server is a process of its own; the client writes requests that it made once and reads
answers by their lengths, so that little but the servers is measured. Rounds alternate, and the best of each counts.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from tqdm import tqdm

from bench.server import cores, genesis, running

CONNECTIONS, ROUNDS, REQUESTS = (1, 32), 5, 3_000
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


async def main(folder: Path) -> None:
    """Prints rates, and their ratio."""
    agent = genesis(folder)
    with running(folder) as server, _bare() as bare:
        targets = {
            "bare aiohttp": _request(bare, "/agents/whoami", agent["accessToken"]),
            "GET /agents/whoami": _request(server.url, "/agents/whoami", agent["accessToken"]),
            "GET /health": _request(server.url, "/health", agent["accessToken"]),
        }
        urls = {"bare aiohttp": bare}
        print(f"{cores()} cores, shared by server, database and client")
        print(f"{'connections':<14}{'handler':<22}{'per s':>9}{'us':>8}{'of bare':>9}")
        for connections in CONNECTIONS:
            best = dict.fromkeys(targets, 0.0)
            for _ in tqdm(range(ROUNDS), desc=f"{connections} connections", leave=False, disable=None):
                for name, request in targets.items():
                    rate = await _rate(urls.get(name, server.url), request, connections)
                    best[name] = max(best[name], rate)
            for name, rate in best.items():
                ratio = rate / best["bare aiohttp"]
                print(f"{connections:<14}{name:<22}{rate:>9.0f}{1e6 / rate:>8.0f}{ratio:>9.2f}")


async def _rate(url: str, request: bytes, connections: int) -> float:
    left = iter(range(REQUESTS))

    async def client() -> None:
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for _ in left:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if not head.startswith(b"HTTP/1.1 200") or length is None:
                raise RuntimeError(head.decode("latin-1"))
            await reader.readexactly(int(length[1]))
        writer.close()
        await writer.wait_closed()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    return REQUESTS / (time.perf_counter() - started)


def _request(url: str, path: str, token: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", f"Host: {urlsplit(url).netloc}", f"Authorization: Bearer {token}", "", "")
    return "\r\n".join(lines).encode("ascii")


@contextmanager
def _bare() -> Iterator[str]:
    command = [sys.executable, "-m", "bench.overhead", "bare"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


async def _serve_bare() -> None:
    answer = {"identityId": "0" * 36, "publicKey": "x" * 52, "fingerprint": "x" * 19, "clientId": "0" * 36}

    async def handle(_: web.Request) -> web.Response:
        return web.json_response(answer)

    app = web.Application()
    app.router.add_get("/agents/whoami", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["bare"]:
        asyncio.run(_serve_bare())
    else:
        with tempfile.TemporaryDirectory(prefix="moltnet-overhead-") as made:
            asyncio.run(main(Path(made)))
