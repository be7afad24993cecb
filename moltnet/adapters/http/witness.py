"""A witness of logs over HTTP (c2sp.org/tlog-witness)."""

from http import HTTPStatus

import aiohttp
import attrs

from moltnet.domain.checkpoints import SignatureLine, VerifierKey, WitnessRequest, parse_size
from moltnet.domain.errors import Invalid, Unavailable
from moltnet.domain.transparency import WitnessAhead

TIMEOUT = aiohttp.ClientTimeout(total=3)
ANSWER_MAX = 65_536


class WitnessRefused(Invalid):
    """A witness that does not sign."""

    code = "WITNESS_REFUSED"


@attrs.frozen
class HttpWitness:
    """The port `Witness`, for one at an address."""

    key: VerifierKey
    url: str

    async def add_checkpoint(self, request: WitnessRequest) -> SignatureLine:
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.post(f"{self.url}/add-checkpoint", data=request.text.encode(), allow_redirects=False) as answer,
            ):
                status = answer.status
                body = (await answer.content.read(ANSWER_MAX)).decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the witness {self.key.name} does not answer") from error
        if status == HTTPStatus.CONFLICT:
            raise WitnessAhead(parse_size(body.removesuffix("\n")))
        if status != HTTPStatus.OK:
            raise WitnessRefused(f"the witness {self.key.name} answered {status}")
        lines = (SignatureLine.parse(line) for line in body.splitlines())
        line = next((each for each in lines if each.is_of(self.key)), None)
        if line is None:
            raise WitnessRefused(f"the witness {self.key.name} answered no signature of its key")
        return line
