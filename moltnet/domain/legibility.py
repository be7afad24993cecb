"""What of a text nobody reads as words: base64 and other data, and the signs and numbers of JSON and tables.

Each is blanked, so that the rest stands where it stood.
"""

import re
from collections.abc import Iterator

# Runs that may be data instead of words: base64, hashes, keys. See `_is_data`.
_RUN = re.compile(r"(?<![\w+/=.-])[A-Za-z0-9+/=_-]{40,}(?![\w+/=-])")
_KIND_CHANGES = re.compile("[a-z][A-Z0-9+/=_-]|[A-Z][a-z0-9+/=_-]{2}|[0-9][A-Za-z+/=_-]|[+/=_-][A-Z0-9]")
# So often does the kind of character change in data (in each third or fourth place), and not in names and paths.
_CHANGES_IN_DATA = 0.22
_SIGNS = re.compile(r"[{}\[\]\"'`,:;|<>=+*/\\_~^#-]")
# Of prose and code less than a tenth are such signs, of JSON and tables a sixth and more.
_SIGNS_IN_STRUCTURE = 0.14
# Hashes and keys, shorter than other data: nothing else is digits and these letters for so long.
_HEXADECIMAL = re.compile(r"(?<!\w)(?:[0-9a-f]{24,}|[0-9A-F]{24,})(?!\w)")
_NUMBER = re.compile(r"\S*\d\S*")
_STRETCH = re.compile(r"(?s).{1,200}")
_SHORTEST = 60


def data_runs(text: str) -> Iterator[re.Match[str]]:
    """The runs of a text that are data."""
    return (run for run in _RUN.finditer(text) if _is_data(run[0]))


def without_noise(text: str) -> str:
    """A text of the same length with blanks for data, and for signs and numbers of stretches that are full of signs."""
    legible = _HEXADECIMAL.sub(_blank, _without_data(text))
    return legible if len(text) < _SHORTEST else _STRETCH.sub(lambda each: _without_structure(each[0]), legible)


def _without_data(text: str) -> str:
    pieces, done = [], 0
    for run in data_runs(text):
        pieces += [text[done : run.start()], " " * len(run[0])]
        done = run.end()
    return "".join([*pieces, text[done:]])


def _without_structure(stretch: str) -> str:
    is_structure = len(_SIGNS.findall(stretch)) >= _SIGNS_IN_STRUCTURE * len(stretch)
    return _NUMBER.sub(_blank, _SIGNS.sub(" ", stretch)) if is_structure else stretch


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _is_data(run: str) -> bool:
    return len(_KIND_CHANGES.findall(run)) >= _CHANGES_IN_DATA * len(run)
