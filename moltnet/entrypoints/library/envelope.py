"""The signed block of an accountable commit: a convention of texts, not of the network.

Source: docs/reference/client.md, "Signed commits".
"""

import re
from collections.abc import Mapping

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

    @property
    def text(self) -> str:
        """The whole block, as it becomes the content of an entry."""
        return f"<moltnet-signed>\n{self.signed}\n<signature>{self.signature}</signature>\n</moltnet-signed>"


def to_be_signed(content: str, metadata: Mapping[str, str]) -> str:
    """The message of an envelope: what `sign_and_submit` is given, and `Envelope` with the signature it answers."""
    lines = "\n".join(f"{name}: {value}" for name, value in metadata.items())
    return f"<content>{content}</content>\n<metadata>\n{lines}\n</metadata>"
