"""A witness of logs as a server of its own (c2sp.org/tlog-witness): `moltnet log witness`."""

import asyncio
import re
import socket
from collections.abc import Iterable
from http import HTTPStatus

from aiohttp import web

from moltnet.domain.checkpoints import LOG_SIGNATURE, MalformedCheckpoint, VerifierKey
from moltnet.domain.errors import Forbidden, Invalid, NotFound
from moltnet.domain.services.witness import WitnessService
from moltnet.domain.transparency import NotGrown, WitnessAhead
from moltnet.entrypoints.cli.output import announce
from moltnet.entrypoints.container.witness import WitnessFiles

BODY_MAX = 65_536
_STATUS = {
    NotGrown: HTTPStatus.UNPROCESSABLE_ENTITY,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Invalid: HTTPStatus.BAD_REQUEST,
}
_HASH = re.compile(r"[0-9a-f]{64}")


def log_keys(texts: Iterable[str]) -> dict[str, VerifierKey]:
    """The logs of some verifier keys, by name; raises MalformedCheckpoint for a key that is no log's."""
    keys = [VerifierKey.parse(text) for text in texts]
    if not all(key.kind == LOG_SIGNATURE for key in keys):
        raise MalformedCheckpoint("A witness signs for logs: one of the keys is a witness's own")
    return {key.name: key for key in keys}


def witness_app(service: WitnessService, files: WitnessFiles) -> web.Application:
    """An application that answers what logs and monitors ask of a witness."""

    async def add(request: web.Request) -> web.Response:
        try:
            text = (await request.read()).decode("utf-8")
            # Files are read and written: off the event loop.
            return web.Response(text=await asyncio.to_thread(service.add_checkpoint, text))
        except UnicodeDecodeError:
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        except WitnessAhead as ahead:
            return web.Response(
                status=HTTPStatus.CONFLICT, text=f"{ahead.size}\n", headers={"Content-Type": "text/x.tlog.size"}
            )
        except (Forbidden, NotFound, Invalid) as refusal:
            status = next(status for kind, status in _STATUS.items() if isinstance(refusal, kind))
            return web.Response(status=status, text=f"{refusal.detail}\n")

    async def last(request: web.Request) -> web.Response:
        name = request.match_info["hash"]
        checkpoint = await asyncio.to_thread(files.last, name) if _HASH.fullmatch(name) else None
        if checkpoint is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return web.Response(text=checkpoint.text)

    app = web.Application(client_max_size=BODY_MAX)
    app.router.add_post("/add-checkpoint", add)
    app.router.add_get("/{hash}/checkpoint", last)
    return app


def run(files: WitnessFiles, name: str, logs: Iterable[str], *, host: str, port: int) -> None:
    """Serves until SIGTERM or Ctrl-C; its verifier key is the first line it prints."""
    service = files.service(name, log_keys(logs))
    with socket.create_server((host, port)) as listening:
        announce(f"{service.key.text}\nmoltnet witness ready on http://{host}:{listening.getsockname()[1]}")
        web.run_app(witness_app(service, files), sock=listening, print=None)
