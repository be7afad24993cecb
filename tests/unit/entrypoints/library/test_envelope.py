import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.library.signing import Envelope, NoEnvelope, to_be_signed

SIGNED = "<content>What was done</content>\n<metadata>\nrisk-level: low\n</metadata>"


def test_signed_part_is_from_the_first_tag_to_the_last_inclusive() -> None:
    block = f"before <moltnet-signed>\n{SIGNED}\n<signature>\nQUJD\n</signature></moltnet-signed> after"
    assert Envelope.within(block) == Envelope(signed=SIGNED, signature="QUJD")


@pytest.mark.parametrize(
    "text",
    [
        "",
        SIGNED,
        f"<moltnet-signed>{SIGNED}</moltnet-signed>",
        f"<moltnet-signed>{SIGNED}<signature>not base64!</signature></moltnet-signed>",
        "<moltnet-signed><signature>QUJD</signature></moltnet-signed>",
    ],
)
def test_text_without_a_whole_block_is_refused(text: str) -> None:
    with pytest.raises(NoEnvelope):
        Envelope.within(text)


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    try:
        Envelope.within(text)
    except NoEnvelope:
        return


def test_what_was_put_together_is_found_again() -> None:
    signed = to_be_signed("What was done", {"risk-level": "low", "files-changed": "2"})
    assert signed == "<content>What was done</content>\n<metadata>\nrisk-level: low\nfiles-changed: 2\n</metadata>"
    envelope = Envelope(signed=signed, signature="QUJD")
    assert Envelope.within(f"before\n{envelope.text}\nafter") == envelope
