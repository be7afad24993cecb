"""`/verify`: whether a signature is good, whose it is and since when, for anyone."""

from typing import Annotated

import attrs

from moltnet.domain.constraints import Text
from moltnet.domain.errors import MoltNetError
from moltnet.domain.keys import PublicKey, decode_signature
from moltnet.domain.services.signing import Signed
from moltnet.domain.signing import MESSAGE_MAX, SIGNATURE_TEXT_MAX
from moltnet.entrypoints.library.signing import Envelope
from moltnet.entrypoints.operations.signing import VERIFY
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute

_MARK = "<moltnet-signed>"
_BLOCK_MAX = MESSAGE_MAX + 1000


@attrs.frozen(kw_only=True)
class ToVerify:
    """What was pasted."""

    signature: Annotated[str, Text(0, _BLOCK_MAX)] = ""
    message: Annotated[str, Text(0, _BLOCK_MAX)] = ""
    key: Annotated[str, Text(0, 200)] = ""
    nonce: Annotated[str, Text(0, 100)] = ""

    def parts(self) -> tuple[str, str | None]:
        """Signature and message, of a signed block too, whichever field it was pasted into; raises NoEnvelope."""
        block = next((text for text in (self.signature, self.message) if _MARK in text), None)
        if block is not None:
            envelope = Envelope.within(block)
            return "".join(envelope.signature.split()), envelope.signed
        return "".join(self.signature.split()), self.message or None


@attrs.frozen(kw_only=True)
class Verdict:
    """What is said of a signature: `signed` by whom, as this network knows; `by_key` by the key that was pasted.

    `problem` says why nothing can be said.
    """

    problem: str | None = None
    signed: Signed | None = None
    by_key: bool | None = None


async def form(_: PageRequest) -> Html:
    """The form alone."""
    return Html("verify.html", {"pasted": ToVerify(), "verdict": None})


async def verify(asked: PageRequest) -> Html:
    """The form with what is said of what was pasted."""
    pasted = await asked.body(ToVerify)
    await asked.count(VERIFY.rate, VERIFY.name)
    return Html("verify.html", {"pasted": pasted, "verdict": await _verdict(asked, pasted)})


async def _verdict(asked: PageRequest, pasted: ToVerify) -> Verdict:
    try:
        signature, message = pasted.parts()
        key = PublicKey.parse(pasted.key.strip()) if pasted.key.strip() else None
    except MoltNetError as error:
        return Verdict(problem=error.detail)
    if len(signature) > SIGNATURE_TEXT_MAX or decode_signature(signature) is None:
        return Verdict(problem="A signature is 64 bytes in padded base64: 88 characters, the last two of them ==")
    if key is None:
        return Verdict(signed=await asked.services.signing.find_signer(signature, message))
    if message is None or not pasted.nonce.strip():
        return Verdict(problem="A check by key needs the message and the nonce of its signing request")
    nonce = pasted.nonce.strip()
    check, size = asked.services.signing.check, len(message)
    is_good = await asked.services.workers.run(lambda: check.is_by(key, message, nonce, signature), size)
    return Verdict(by_key=is_good)


PAGES = (PageRoute("/verify", form), PageRoute("/verify", verify, method="POST"))
