"""Small bar charts as SVG, made on the server; what they show is told in words, too."""

from collections.abc import Sequence

import attrs

WIDTH, HEIGHT, BARS = 360, 64, 120


@attrs.frozen(kw_only=True)
class Bar:
    """A bar from the bottom of the chart, in its units."""

    x: float
    y: float
    width: float
    height: float


@attrs.frozen(kw_only=True)
class Plot:
    """A chart of one figure over time, the oldest to the left.

    Attributes:
        values: one for each bar.
        last: the figure of the last minute.
    """

    title: str
    unit: str
    values: tuple[float, ...]
    last: float

    @classmethod
    def of(cls, title: str, unit: str, minutes: Sequence[float]) -> "Plot":
        """The chart of a figure for each minute: a bar shows the greatest of its minutes."""
        size = max(1, len(minutes) // BARS)
        groups = [minutes[at : at + size] for at in range(0, len(minutes), size)]
        return cls(title=title, unit=unit, values=tuple(map(max, groups)), last=minutes[-1])

    @property
    def greatest(self) -> float:
        """The highest bar."""
        return max(self.values)

    @property
    def bars(self) -> list[Bar]:
        """What is drawn: nothing where the figure is 0."""
        width, top = WIDTH / len(self.values), self.greatest or 1
        return [
            Bar(x=at * width, y=HEIGHT - height, width=width * 0.8, height=height)
            for at, value in enumerate(self.values)
            if value
            for height in [max(1.0, value / top * HEIGHT)]
        ]
