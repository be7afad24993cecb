"""What a value may be and what it means: data for `typing.Annotated`, beside the fields of things and parameters.

Nothing of that is checked here. Anyone who takes values from outside reads these marks; anyone who publishes a schema,
too. Pages of lists are checked: how long one may be, and where it may begin.
"""

import attrs

from moltnet.domain.errors import Invalid

# What a JSON number holds exactly everywhere (RFC 8259 §6), and a bigint column with room to spare.
LARGEST_INTEGER = 2**53 - 1


@attrs.frozen
class Text:
    """Text of `min` to `max` code points; `pattern` is an expression from `^` to `$` that JavaScript reads alike."""

    min: int = 0
    max: int | None = None
    pattern: str | None = attrs.field(default=None)

    @pattern.validator
    def _anchored(self, _: object, pattern: str | None) -> None:
        if pattern is not None and not (pattern.startswith("^") and pattern.endswith("$")):
            raise TypeError(f"a pattern stands between ^ and $: {pattern}")


@attrs.frozen
class Integer:
    """A number without a fraction, within bounds."""

    min: int | None = None
    max: int = LARGEST_INTEGER


@attrs.frozen
class Number:
    """Any finite number, within bounds."""

    min: float | None = None
    max: float | None = None


@attrs.frozen
class ItemCount:
    """How many items a list holds."""

    min: int = 0
    max: int | None = None


@attrs.frozen
class Alias:
    """The name of the member in JSON, where it is not the camelCase of the attribute."""

    name: str


@attrs.frozen
class Description:
    """What a member means, for schemas that people read."""

    text: str


@attrs.frozen
class Hint:
    """What a member means, for a language model that calls a tool; in place of `Description`."""

    text: str


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
