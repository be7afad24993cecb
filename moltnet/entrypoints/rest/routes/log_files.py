"""The files of the open log, as tools and witnesses read them (c2sp.org/tlog-tiles).

Source: docs/reference/log.md, "Files".
"""

import re
from typing import Annotated

import attrs
from aiohttp import web

from moltnet.domain.constraints import Text
from moltnet.domain.tiles import parse_extent
from moltnet.domain.transparency import NoSuchLeaf
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.routing import AnyRoute, Call, Route

CHECKPOINT_CACHING = {"Cache-Control": "public, max-age=1"}
TILE_CACHING = {"Cache-Control": "public, max-age=31536000, immutable"}
_LEVEL = re.compile(r"0|[1-9]\d?", re.ASCII)
_BUNDLES = "entries"

Part = Annotated[str, Text(1, 10)]


@attrs.frozen(kw_only=True)
class FirstPart:
    """The path of a tile; its number is in parts of three digits, and its width is another."""

    level: Part
    a: Part

    @property
    def rest(self) -> str:
        """All behind the level."""
        parts = attrs.asdict(self)
        del parts["level"]
        return "/".join(parts[name] for name in sorted(parts))


@attrs.frozen(kw_only=True)
class SecondPart(FirstPart):
    """The same with two parts."""

    b: Part


@attrs.frozen(kw_only=True)
class ThirdPart(SecondPart):
    """The same with three."""

    c: Part


@attrs.frozen(kw_only=True)
class FourthPart(ThirdPart):
    """The same with four: of more leaves than a log has."""

    d: Part


async def checkpoint(call: Call[None, None, None]) -> web.Response:
    """Read the head of the open log as it is signed."""
    shown = await call.services.transparency.checkpoint()
    return web.Response(text=shown.text, content_type="text/plain", charset="utf-8", headers=CHECKPOINT_CACHING)


async def tile(call: Call[FirstPart, None, None]) -> web.Response:
    """Read a tile of the open log, or a bundle of leaves."""
    level, extent = call.params.level, parse_extent(call.params.rest)
    if extent is None:
        raise NoSuchLeaf
    log = call.services.transparency
    if level == _BUNDLES:
        body = await log.bundle(extent)
    elif _LEVEL.fullmatch(level):
        body = await log.tile(int(level), extent)
    else:
        raise NoSuchLeaf
    return web.Response(body=body, content_type="application/octet-stream", headers=TILE_CACHING)


def _tiles(path: str, params: type) -> AnyRoute:
    return Route(
        "GET",
        path,
        "getLogTile",
        "log",
        tile,
        auth=Auth.NONE,
        params=params,
        answers={200: str},
        media_type="application/octet-stream",
        problems=(404,),
        documented=False,
    )


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "GET",
        "/log/checkpoint",
        "getLogCheckpoint",
        "log",
        checkpoint,
        auth=Auth.NONE,
        answers={200: str},
        media_type="text/plain",
    ),
    _tiles("/log/tile/{level}/{a}", FirstPart),
    _tiles("/log/tile/{level}/{a}/{b}", SecondPart),
    _tiles("/log/tile/{level}/{a}/{b}/{c}", ThirdPart),
    _tiles("/log/tile/{level}/{a}/{b}/{c}/{d}", FourthPart),
)
