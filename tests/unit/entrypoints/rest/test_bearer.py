"""The Authorization header (docs/reference/http.md, "Authentication")."""

import pytest

from moltnet.domain.errors import Unauthenticated
from moltnet.entrypoints.rest.request_parts import token_of

MISSING, SCHEME = "Missing authorization header", "Invalid authorization scheme"


@pytest.mark.parametrize("written", ["Bearer {}", "bearer {}", "BEARER {}", "bEaReR {}", "Bearer  {}", "Bearer   {} "])
def test_token_is_the_one_word_after_the_scheme_however_that_is_written(written):
    assert token_of({"Authorization": written.format("abc.def")}) == "abc.def"


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}])
def test_no_header_is_no_token(headers):
    assert token_of(headers) is None


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        ("Basic abc", SCHEME),
        ("abc", SCHEME),
        ("Bearerabc", SCHEME),
        ("Bearer", MISSING),
        ("Bearer ", MISSING),
        ("Bearer a b", MISSING),
        ("Bearer  a  b", MISSING),
        ("Bearer\tabc", SCHEME),
    ],
)
def test_other_headers_are_refused(header, detail):
    with pytest.raises(Unauthenticated) as refused:
        token_of({"Authorization": header})
    assert refused.value.detail == detail
