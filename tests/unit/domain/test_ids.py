"""Identifiers and their text form."""

from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.domain.ids import parse_uuid

TEXT = "f47ac10b-58cc-4372-a567-0e02b2c3d479"


@given(value=st.uuids(), prefix=st.sampled_from(["", "urn:uuid:", "URN:UUID:"]), upper=st.booleans())
def test_a_uuid_is_read_in_any_case_with_or_without_its_prefix(value: UUID, prefix: str, *, upper: bool) -> None:
    text = str(value).upper() if upper else str(value)
    assert parse_uuid(prefix + text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("-", ""),
        f"{{{TEXT}}}",
        f" {TEXT}",
        f"{TEXT}\n",
        f"uuid:{TEXT}",
        f"urn:uuid:urn:uuid:{TEXT}",
        TEXT[:-1],
        f"{TEXT}0",
        TEXT[:-1] + "g",
        TEXT[:-1] + "\u0661",
        TEXT.replace("-", "\u2011"),
    ],
)
def test_other_texts_name_none(text: str) -> None:
    assert parse_uuid(text) is None


@given(text=st.text())
@example("\ud800" * 36)
def test_any_text_names_a_uuid_or_none(text: str) -> None:
    value = parse_uuid(text)
    assert value is None or text.lower().endswith(str(value))
