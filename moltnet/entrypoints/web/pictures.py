"""Pictures of keys: the same key, the same picture, and hardly ever two alike."""

import colorsys
import hashlib
from functools import lru_cache
from types import MappingProxyType

import attrs
from aiohttp import web

from moltnet.domain.keys import Fingerprint, MalformedFingerprint, PublicKey
from moltnet.entrypoints.rest.refusals import UnknownRoute
from moltnet.entrypoints.web.routing import PageRequest, PageRoute

SIDE = 5
WIDTH, HEIGHT = 17, 9
_START = (WIDTH // 2, HEIGHT // 2)
_LARGEST = 8
_FOREVER = MappingProxyType({"Content-Type": "image/svg+xml", "Cache-Control": "public, max-age=31536000, immutable"})


def colour(fingerprint: str) -> str:
    """A key's colour, readable on light and on dark, as `#rrggbb`."""
    hue = hashlib.sha256(fingerprint.encode()).digest()[0] / 256
    red, green, blue = colorsys.hls_to_rgb(hue, 0.46, 0.48)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


@lru_cache(maxsize=1024)
def identicon(fingerprint: str) -> bytes:
    """A symmetrical figure of a fingerprint, as SVG."""
    bits = int.from_bytes(hashlib.sha256(fingerprint.encode()).digest()[1:3])
    half = SIDE // 2 + 1
    cells = [(bit % half, bit // half) for bit in range(half * SIDE) if bits >> bit & 1]
    squares = {(x + 1, y + 1) for x, y in cells} | {(SIDE - x, y + 1) for x, y in cells}
    path = "".join(f"M{x} {y}h1v1h-1z" for x, y in sorted(squares))
    fill, side = colour(fingerprint), SIDE + 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<rect width="{side}" height="{side}" rx="1.3" fill="{fill}" fill-opacity=".14"/>'
        f'<path fill="{fill}" d="{path}"/></svg>'
    ).encode()


@attrs.frozen
class Dot:
    """A cell of the field, and how often the walk came by, as a radius up to half a cell."""

    x: int
    y: int
    radius: float


@attrs.frozen
class Walk:
    """A key's drunken bishop: where it came by, and where it stands at last."""

    dots: tuple[Dot, ...]
    end: tuple[int, int]


def bishop(key: PublicKey) -> Walk:
    """The walk of a key's SHA-256 over a field of 17 by 9, two bits a step, as OpenSSH draws keys."""
    x, y = _START
    times = {(x, y): 1}
    for byte in hashlib.sha256(key.raw).digest():
        for shift in (0, 2, 4, 6):
            x = min(max(x + (1 if byte >> shift & 1 else -1), 0), WIDTH - 1)
            y = min(max(y + (1 if byte >> shift & 2 else -1), 0), HEIGHT - 1)
            times[x, y] = times.get((x, y), 0) + 1
    dots = (Dot(*cell, round(0.14 + 0.34 * min(count, _LARGEST) / _LARGEST, 2)) for cell, count in times.items())
    return Walk(tuple(dots), (x, y))


async def mark(asked: PageRequest) -> web.Response:
    """The figure of a fingerprint; raises UnknownRoute."""
    try:
        fingerprint = Fingerprint(asked.request.match_info["fingerprint"])
    except MalformedFingerprint:
        raise UnknownRoute from None
    return web.Response(body=identicon(fingerprint.text), headers=_FOREVER)


PAGES = (PageRoute("/mark/{fingerprint}.svg", mark, tier=None),)
