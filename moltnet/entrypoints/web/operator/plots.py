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
        unit: what the last figure is, such as `a minute now`.
        figures: one for each bar.
        last: the latest figure.
        since, until: the ends of the time, in words.
    """

    title: str
    unit: str
    figures: tuple[float, ...]
    last: float
    since: str
    until: str

    @classmethod
    def of(cls, title: str, *, unit: str, values: Sequence[float], since: str, until: str) -> "Plot":
        """The chart of figures at equal distances: where they are many, a bar shows the greatest of several."""
        size = max(1, len(values) // BARS)
        groups = [values[at : at + size] for at in range(0, len(values), size)]
        return cls(title=title, unit=unit, figures=tuple(map(max, groups)), last=values[-1], since=since, until=until)

    @property
    def greatest(self) -> float:
        """The highest bar."""
        return max(self.figures)

    @property
    def bars(self) -> list[Bar]:
        """What is drawn: nothing where the figure is 0."""
        width, top = WIDTH / len(self.figures), self.greatest or 1
        return [
            Bar(x=at * width, y=HEIGHT - height, width=width * 0.8, height=height)
            for at, value in enumerate(self.figures)
            if value
            for height in [max(1.0, value / top * HEIGHT)]
        ]
