"""What a model spells: text in scripts of which its vocabulary has letters alone, and no words (ADR-66).

Of single letters it makes next to nothing, and each costs as much as a word. A vocabulary for several languages has
words of their scripts, and nothing of them is left out.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

# So many single letters make an alphabet; from so many on, each is a word, as Chinese characters are to a model for
# Chinese.
_ALPHABET_LEAST, _WORDS_FROM = 16, 1000
_REMEMBERED_TO = 0xFFFF
_PIECE = re.compile("^(?:##|\u2581)(?=.)")
# From the first character of another script to the next Latin letter or digit: what stands there alone is no words.
_FOREIGN = re.compile(r"[^\x00-\x7f][^A-Za-z0-9]*")


class Spelling(dict[int, int]):
    """Blanks, by code point, for letters of scripts that a vocabulary has no words of, and for what is no letter."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        """Counts the pieces of each script."""
        pieces = [_PIECE.sub("", piece) for piece in vocabulary]
        letters = Counter(_script(piece) for piece in pieces if len(piece) == 1 and piece.isalnum())
        words = Counter(_script(piece[0]) for piece in pieces if len(piece) > 1)
        self._spelled = {
            script
            for script, count in letters.items()
            if _ALPHABET_LEAST <= count < _WORDS_FROM and words[script] < count
        }

    def __missing__(self, code: int) -> int:
        read_as = ord(" ") if self._is_blank(chr(code)) else code
        if code <= _REMEMBERED_TO:
            self[code] = read_as
        return read_as

    def without(self, text: str) -> str:
        """A text of the same length with blanks for what is spelled; a lone letter is a symbol, and stays."""
        return text if text.isascii() else _FOREIGN.sub(lambda each: self._blanked(each[0]), text)

    def _blanked(self, run: str) -> str:
        blanked = run.translate(self)
        return blanked if _letters(run) - _letters(blanked) > 1 else run

    def _is_blank(self, character: str) -> bool:
        return _script(character) in self._spelled or not (character.isalnum() or character.isspace())


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _script(character: str) -> str:
    """The first word of its name, which is that of its script for letters."""
    return unicodedata.name(character, "").replace("-", " ").partition(" ")[0]
