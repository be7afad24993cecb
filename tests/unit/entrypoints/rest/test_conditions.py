"""Entity tags and If-Match (RFC 9110 §8.8.3 and §13.1.1)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.ids import version_of
from moltnet.entrypoints.rest.refusals import MalformedHeader
from moltnet.entrypoints.rest.request_parts import expected_versions, version_headers
from tests.support.builders import an_entry

GLUE = st.sampled_from([",", ", ", " , ", ",,", " ,\t, "])
OPAQUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FF, exclude_characters='"\x7f'), max_size=5)


def test_version_is_reported_as_a_strong_tag_that_fits_itself():
    entry = an_entry()
    (tag,) = version_headers(entry).values()
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', tag)
    assert expected_versions([tag]).versions == {version_of(entry)}


@pytest.mark.parametrize("line", ["*", " * ", "\t*"])
def test_star_is_any_version(line):
    assert expected_versions([line]).is_any


@given(tags=st.lists(st.tuples(OPAQUE, st.booleans(), GLUE), min_size=1, max_size=5), split=st.booleans())
def test_strong_tags_of_a_list_are_expected_and_weak_ones_are_not(tags, split):
    texts = [("W/" if weak else "") + f'"{opaque}"' for opaque, weak, _ in tags]
    glued = "".join(text + glue for text, (_, _, glue) in zip(texts, tags, strict=True))
    expected = expected_versions(texts if split else [glued])
    assert expected.versions == {opaque for opaque, weak, _ in tags if not weak}


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        [" "],
        [","],
        ["abc"],
        ['"abc'],
        ['abc"'],
        ['"a" "b"'],
        ['"a""b"'],
        ['"a b"'],
        ['"a\x00b"'],
        ['"a\x7f"'],
        ['w/"a"'],
        ['W/ "a"'],
        ["*, *"],
        ['*, "a"'],
        ['"a"', "*"],
        ['"a", b'],
        ["'a'"],
    ],
)
def test_anything_else_is_malformed(lines):
    with pytest.raises(MalformedHeader):
        expected_versions(lines)


def test_a_long_list_of_nothing_is_read_at_once():
    with pytest.raises(MalformedHeader):
        expected_versions([", " * 4000 + "x"])
