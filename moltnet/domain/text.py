"""Which texts can be kept at all: a database refuses U+0000, and UTF-8 cannot hold half a surrogate pair."""

import re

from moltnet.domain.errors import Invalid

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class UnstorableText(Invalid):
    """A text that no door takes."""

    code = "UNSTORABLE_TEXT"

    def __init__(self, fault: str) -> None:
        super().__init__(f"A text {fault}")


def text_fault(text: str) -> str | None:
    """What a text must be and is not; None for one that can be kept."""
    if "\0" in text:
        return "must NOT contain U+0000"
    if not text.isascii() and _LONE_SURROGATE.search(text):
        return "must be valid Unicode text"
    return None


def check_texts(*texts: str | None) -> None:
    """Raises UnstorableText for the first text that cannot be kept."""
    for text in texts:
        fault = text_fault(text) if text else None
        if fault:
            raise UnstorableText(fault)
