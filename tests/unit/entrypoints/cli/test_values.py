import pytest
from click import BadParameter

from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.cli.values import DIARY, FINGERPRINT, comma_separated


def test_fingerprint_is_read_in_any_case() -> None:
    assert FINGERPRINT.convert("21fe-31df-a154-a261", None, None) == Fingerprint("21FE-31DF-A154-A261")


@pytest.mark.parametrize("text", ["", "nope", "\x00", "\ud800", "0" * 10_000])
def test_wrong_value_is_told_before_anything_is_asked(text: str) -> None:
    for kind in (DIARY, FINGERPRINT):
        with pytest.raises(BadParameter):
            kind.convert(text, None, None)


@pytest.mark.parametrize(("text", "parts"), [(None, None), ("", ()), ("a", ("a",)), (" a , b,,c ", ("a", "b", "c"))])
def test_comma_separated(text: str | None, parts: tuple[str, ...] | None) -> None:
    assert comma_separated(text) == parts
