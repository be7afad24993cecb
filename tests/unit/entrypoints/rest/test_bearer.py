"""The header table of rest.md §2."""

import pytest

from moltnet.domain.errors import Unauthenticated
from moltnet.entrypoints.rest.bearer import token_of

MISSING, SCHEME = "Missing authorization header", "Invalid authorization scheme"


def test_token_is_the_one_word_after_the_scheme():
    assert token_of({"Authorization": "Bearer abc.def"}) == "abc.def"


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}])
def test_no_header_is_no_token(headers):
    assert token_of(headers) is None


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        ("bearer abc", SCHEME),
        ("Basic abc", SCHEME),
        ("abc", SCHEME),
        ("Bearerabc", SCHEME),
        ("Bearer", MISSING),
        ("Bearer ", MISSING),
        ("Bearer a b", MISSING),
        ("Bearer  a", MISSING),
        ("Bearer a ", MISSING),
    ],
)
def test_other_headers_are_refused(header, detail):
    with pytest.raises(Unauthenticated) as refused:
        token_of({"Authorization": header})
    assert refused.value.detail == detail
