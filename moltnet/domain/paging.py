"""Lists are returned in pages: how long one may be, and where it may begin."""

import attrs

from moltnet.domain.errors import Invalid

LIST_MAX, LIST_DEFAULT = 100, 20
GRAPH_MAX, GRAPH_DEFAULT = 1000, 200
PAGE_LIMIT_MAX = 1000
"""Of lists that are returned whole: as much of one as is returned at once."""


class PageOutOfLimits(Invalid):
    """A page of no or too many items, or one that begins before the list."""

    code = "PAGE_OUT_OF_LIMITS"

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"limit is 1 to {most} and offset at least 0")


def check_page(limit: int, offset: int = 0, most: int = LIST_MAX) -> None:
    """Raises PageOutOfLimits unless there can be such a page."""
    if not 1 <= limit <= most or offset < 0:
        raise PageOutOfLimits(most)


@attrs.frozen
class Page:
    """A stretch of a list: at most `limit` items after the first `offset`."""

    limit: int
    offset: int = 0


LARGEST_PAGE = Page(PAGE_LIMIT_MAX)
"""As much of a list that is returned whole as is returned at once."""
