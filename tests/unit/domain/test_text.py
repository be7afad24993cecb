import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.text import UnstorableText, check_texts, text_fault


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_what_utf8_holds_can_be_stored(text):
    assert text_fault(text) is None
    check_texts(text, None, "")


@given(st.text(), st.sampled_from(["\0", "\ud800", "\udfff"]), st.text())
def test_anything_else_is_refused_without_being_repeated(before, odd, after):
    with pytest.raises(UnstorableText) as refused:
        check_texts("fine", before + odd + after)
    assert refused.value.detail in {"A text must NOT contain U+0000", "A text must be valid Unicode text"}
