"""`/verify`: whether a signature is good, whose it is and since when, for anyone."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import attrs

from moltnet.domain.constraints import Text
from moltnet.domain.errors import MoltNetError
from moltnet.domain.keys import PublicKey, decode_signature
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import Head, SignedRecord
from moltnet.domain.services.chains import ChainVerifier, Fault
from moltnet.domain.services.chains import Verdict as ChainVerdict
from moltnet.domain.services.signing import Signed
from moltnet.domain.signing import MESSAGE_MAX, SIGNATURE_TEXT_MAX
from moltnet.domain.views import ShownRecord
from moltnet.entrypoints.library.signing import Envelope
from moltnet.entrypoints.operations.signing import VERIFY
from moltnet.entrypoints.web.rendering import WITH_WORKER
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute
from moltnet.ports.keys import Signatures

_MARK = "<moltnet-signed>"
_BLOCK_MAX = MESSAGE_MAX + 1000
# Of a part of a chain, these may be about records before it.
_OF_EARLIER_RECORDS = {Fault.UNKNOWN_ENTRY, Fault.WRONG_REMOVAL}


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
class PastedChain:
    """What came of records of a signed diary, from which number on, and when the last of them was signed."""

    verdict: ChainVerdict
    first: int
    at: datetime | None


@attrs.frozen(kw_only=True)
class Verdict:
    """What is said of a signature: `signed` by whom, as this network knows; `by_key` by the key that was pasted.

    `chain` is said of records; `problem` says why nothing can be said.
    """

    problem: str | None = None
    signed: Signed | None = None
    by_key: bool | None = None
    chain: PastedChain | None = None

    @property
    def is_good(self) -> bool:
        """Whether something was shown to be signed."""
        is_known = self.signed is not None and self.signed.is_of_message is not False
        return is_known or bool(self.by_key) or (self.chain is not None and self.chain.verdict.holds)


def _page(pasted: ToVerify, verdict: Verdict | None) -> Html:
    return Html("verify.html", {"pasted": pasted, "verdict": verdict}, headers=WITH_WORKER)


async def form(_: PageRequest) -> Html:
    """The form alone."""
    return _page(ToVerify(), None)


async def verify(asked: PageRequest) -> Html:
    """The form with what is said of what was pasted."""
    pasted = await asked.body(ToVerify)
    await asked.count(VERIFY.rate, VERIFY.name)
    return _page(pasted, await _verdict(asked, pasted))


async def _verdict(asked: PageRequest, pasted: ToVerify) -> Verdict:
    check, text = asked.services.signing.check, pasted.signature
    if text.lstrip().startswith("{"):
        return await asked.services.workers.run(lambda: _of_records(check.signatures, text), len(text))
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
    is_good = await asked.services.workers.run(lambda: check.is_by(key, message, nonce, signature), len(message))
    return Verdict(by_key=is_good)


def _of_records(signatures: Signatures, text: str) -> Verdict:
    try:
        value = json.loads(text)
        return Verdict(chain=_chain(signatures, [ShownRecord(**each).signed for each in value.get("items", [value])]))
    except MoltNetError as error:
        return Verdict(problem=error.detail)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return Verdict(
            problem="This is neither a record of a signed diary nor a list of them, as the network shows them"
        )


def _chain(signatures: Signatures, records: Sequence[SignedRecord]) -> PastedChain:
    first, last = records[0], records[-1]
    before = parse_record(first.payload).previous if first.payload else None
    verifier = ChainVerifier(signatures, head=Head(sequence=first.sequence - 1, hash=before))
    verifier.add(records)
    verdict = verifier.verdict()
    if first.sequence > 1:
        findings = tuple(each for each in verdict.findings if each.fault not in _OF_EARLIER_RECORDS)
        verdict = attrs.evolve(verdict, findings=findings)
    at = parse_record(last.payload).created_at if last.payload else None
    return PastedChain(verdict=verdict, first=first.sequence, at=at)


PAGES = (PageRoute("/verify", form), PageRoute("/verify", verify, method="POST"))
