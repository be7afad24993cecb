import pytest

from moltnet.domain.constraints import GRAPH_MAX, LIST_MAX, PageOutOfLimits, check_page


@pytest.mark.parametrize(("limit", "offset"), [(1, 0), (LIST_MAX, 0), (1, 10**12)])
def test_pages_within_the_limits(limit, offset):
    check_page(limit, offset)


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (LIST_MAX + 1, 0), (-1, 0), (1, -1)])
def test_pages_outside_say_how_long_one_may_be(limit, offset):
    with pytest.raises(PageOutOfLimits, match=f"1 to {LIST_MAX}"):
        check_page(limit, offset)


def test_some_lists_have_longer_pages():
    check_page(GRAPH_MAX, most=GRAPH_MAX)
    with pytest.raises(PageOutOfLimits):
        check_page(GRAPH_MAX + 1, most=GRAPH_MAX)
