"""Request bodies on their way in: each within its time, all of them within a bounded memory."""

import asyncio
from collections import Counter

from aiohttp import StreamReader, web

from moltnet.domain.errors import Limited
from moltnet.entrypoints.rest.keys import REQUEST_CONTEXT
from moltnet.entrypoints.rest.options import BodyLimits
from moltnet.entrypoints.rest.refusals import BodyInterrupted, BodyTooLarge, BodyTooSlow, MalformedBody


class TooManyUploads(Limited):
    """Unfinished bodies fill the memory that is set aside for them."""

    code = "TOO_MANY_UPLOADS"
    sentence = "Too many request bodies are arriving at once. Please retry in a moment"


class Uploads:
    """The bodies that are arriving in this process."""

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._buffered: Counter[str] = Counter()
        self._buffered_total = 0

    async def read(self, request: web.Request, max_bytes: int) -> bytes:
        """The whole body.

        Raises BodyTooLarge, BodyTooSlow, BodyInterrupted, TooManyUploads, and MalformedBody for broken chunks.
        """
        content = request.content
        try:
            if content.is_eof():
                body = content.read_nowait(-1)
                if len(body) > max_bytes:
                    raise BodyTooLarge
                return body
            return await self._arriving(content, request[REQUEST_CONTEXT].address, max_bytes)
        except TimeoutError as error:
            raise BodyTooSlow from error
        except web.RequestPayloadError as error:
            raise MalformedBody("Body could not be read") from error
        except OSError as error:
            raise BodyInterrupted from error

    async def _arriving(self, content: StreamReader, address: str, max_bytes: int) -> bytes:
        began_at = asyncio.get_running_loop().time()
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.time_for(0)) as time:
                while chunk := await content.readany():
                    self._reserve(address, len(chunk))
                    body += chunk
                    if len(body) > max_bytes:
                        raise BodyTooLarge
                    time.reschedule(began_at + self._limits.time_for(len(body)))
        finally:
            self._release(address, len(body))
        return bytes(body)

    def _reserve(self, address: str, size: int) -> None:
        limits = self._limits
        if (
            self._buffered_total + size > limits.buffered_bytes
            or self._buffered[address] + size > limits.buffered_bytes_per_address
        ):
            raise TooManyUploads
        self._buffered[address] += size
        self._buffered_total += size

    def _release(self, address: str, size: int) -> None:
        self._buffered_total -= size
        self._buffered[address] -= size
        if not self._buffered[address]:
            del self._buffered[address]


UPLOADS = web.AppKey("uploads", Uploads)
