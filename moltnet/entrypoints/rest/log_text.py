"""Text of others in a line of the log: nothing in it ends the line or speaks to the terminal that shows it."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ASTRAL = 0x10000


def escaped(text: str) -> str:
    """The text with JSON's escapes for all that is not printable.

    That is control characters (C0, DEL, and C1, which terminals take for commands), characters that change the
    direction of writing or separate lines, lone surrogates, and what has no character. In a JSON text they can only
    stand in strings, so the same text is meant as before.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code < _ASTRAL:
        return _SHORT.get(character) or f"\\u{code:04x}"
    high, low = divmod(code - _ASTRAL, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
