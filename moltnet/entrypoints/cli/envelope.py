"""The signed block of an accountable commit (client.md §16): a convention of texts, not of the network."""

import re

import attrs

from moltnet.domain.errors import Invalid

_BLOCK = re.compile(
    r"<moltnet-signed>.*?(?P<signed><content>.*?</content>\s*<metadata>.*?</metadata>).*?"
    r"<signature>\s*(?P<signature>[A-Za-z0-9+/=]+)\s*</signature>.*?</moltnet-signed>",
    re.DOTALL,
)


class NoEnvelope(Invalid):
    """A text without a signed block."""

    code = "NO_ENVELOPE"
    sentence = "The text holds no <moltnet-signed> block with <content>, <metadata> and <signature>"


@attrs.frozen(kw_only=True)
class Envelope:
    """What was signed, tags included, and the signature."""

    signed: str
    signature: str

    @classmethod
    def within(cls, text: str) -> "Envelope":
        """The first block of a text; raises NoEnvelope."""
        found = _BLOCK.search(text)
        if found is None:
            raise NoEnvelope
        return cls(signed=found["signed"], signature=found["signature"])
