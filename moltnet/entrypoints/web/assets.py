"""Style sheets, scripts and pictures: read once, named by what is in them, and cached by browsers for ever."""

import hashlib
import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

import attrs
from aiohttp import web

from moltnet.entrypoints.rest.refusals import UnknownRoute

PATH = "/assets"
_IMPORT = re.compile(rb'"\./([a-z_]+\.js)"')
_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


@attrs.frozen
class Asset:
    """One file; its name on the wire changes with its bytes."""

    name: str
    body: bytes
    media_type: str


class Assets:
    """The files of the folder `assets`."""

    def __init__(self) -> None:
        files = {file.name: file.read_bytes() for file in resources.files(__package__).joinpath("assets").iterdir()}
        named = {name: _asset(name, files) for name in sorted(files)}
        self._urls = MappingProxyType({name: f"{PATH}/{asset.name}" for name, asset in named.items()})
        self._assets = MappingProxyType({asset.name: asset for asset in named.values()})

    def url(self, name: str) -> str:
        """The path of a file; raises KeyError for one that is not packaged."""
        return self._urls[name]

    async def handle(self, request: web.Request) -> web.Response:
        """Answers a request for a file; raises UnknownRoute."""
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise UnknownRoute
        headers = {"Content-Type": asset.media_type, "Cache-Control": _FOREVER}
        return web.Response(body=asset.body, headers=headers)


def _asset(name: str, files: Mapping[str, bytes]) -> Asset:
    """The file of a name; a script that imports another does so by that one's name on the wire."""
    body = _IMPORT.sub(lambda found: b'"./%s"' % _asset(found[1].decode(), files).name.encode(), files[name])
    stem, dot, ending = name.rpartition(".")
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(f"{stem}.{digest}{dot}{ending}", body, _TYPES[dot + ending])
