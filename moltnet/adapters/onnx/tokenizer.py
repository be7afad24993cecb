"""Text to the numbers of its tokens, and to the characters each token stands for."""

import re
from pathlib import Path

import attrs
from tokenizers import Encoding, Tokenizer

from moltnet.adapters.onnx.model_dir import ModelUnusable
from moltnet.domain.passages import Span

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@attrs.frozen
class Tokens:
    """The tokens of a text without special ones: their spans in order, and where words begin, both in code points."""

    spans: tuple[Span, ...]
    word_starts: tuple[int, ...]


class TextTokenizer:
    """A `tokenizer.json`, read-only after construction and so safe to use from several threads.

    Text is only ever text: `[SEP]` in a diary is five characters, not the end of the input.
    """

    def __init__(self, path: Path) -> None:
        """Reads the file; raises ModelUnusable."""
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise ModelUnusable(f"{path} is not a tokenizer: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        self.special_tokens = len(self._tokenizer.encode("").ids)

    def ids(self, text: str, limit: int) -> list[int]:
        """At most `limit` token numbers, special tokens included; text over it is cut at its end."""
        encoding = self._encoding(text)
        encoding.truncate(limit - self.special_tokens)
        return self._tokenizer.post_process(encoding).ids

    def tokens(self, text: str) -> Tokens:
        """All tokens of a text of any length."""
        encoding = self._encoding(text)
        offsets, words = encoding.offsets, encoding.word_ids
        starts = (
            offset[0] for offset, word, before in zip(offsets, words, [None, *words], strict=False) if word != before
        )
        return Tokens(tuple(Span(start, end) for start, end in offsets), tuple(starts))

    def count(self, text: str) -> int:
        """How many tokens a text has, special ones aside."""
        return len(self._encoding(text).ids)

    def _encoding(self, text: str) -> Encoding:
        # As a batch of one: for a single text the library keeps the interpreter's lock, so that no event loop runs.
        (encoding,) = self._tokenizer.encode_batch([_encodable(text)], add_special_tokens=False)
        return encoding


def _encodable(text: str) -> str:
    """The same number of code points, without the halves of characters that UTF-8 has no form for."""
    return _LONE_SURROGATE.sub("\ufffd", text)
