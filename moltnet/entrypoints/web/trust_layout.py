"""Draws vouches as a tree from left to right: an agent has at most one voucher behind it, so generations are columns.

Each leaf has a row of its own and each other agent stands in the middle of those it vouched for: no two meet, and the
same vouches give the same drawing. The time it takes grows with the number of vouches, which the caller bounds.
"""

from collections.abc import Iterable, Sequence

import attrs

from moltnet.domain.keys import Fingerprint
from moltnet.domain.vouching import Edge

COLUMN, ROW, MARGIN, LABEL = 204, 34, 10, 162
_GAP = 9


@attrs.frozen(kw_only=True)
class Node:
    """An agent and its place, in pixels."""

    fingerprint: Fingerprint
    x: float
    y: float


@attrs.frozen(kw_only=True)
class Line:
    """A vouch as a curve from its issuer to the agent that came in on it."""

    edge: Edge
    path: str


@attrs.frozen(kw_only=True)
class Drawing:
    """A drawing and its size, in pixels."""

    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


def draw(edges: Sequence[Edge], alone: Fingerprint | None = None) -> Drawing:
    """The drawing of some vouches; `alone` is shown even if none is about it."""
    by_issuer: dict[Fingerprint, list[Fingerprint]] = {}
    for edge in edges:
        by_issuer.setdefault(edge.issuer, []).append(edge.redeemer)
    nodes = _placed(by_issuer, _roots(edges, alone))
    lines = tuple(Line(edge=edge, path=_curve(nodes[edge.issuer], nodes[edge.redeemer])) for edge in edges)
    return Drawing(
        nodes=tuple(nodes.values()),
        lines=lines,
        width=max((node.x for node in nodes.values()), default=0) + LABEL,
        height=max((node.y for node in nodes.values()), default=0) + MARGIN,
    )


def _roots(edges: Iterable[Edge], alone: Fingerprint | None) -> list[Fingerprint]:
    redeemers = {edge.redeemer for edge in edges}
    roots = [edge.issuer for edge in edges if edge.issuer not in redeemers]
    # Whatever is left when those are drawn would be a circle, which only damaged rows hold.
    rest = [edge.redeemer for edge in edges]
    return list(dict.fromkeys([*roots, *filter(None, [alone]), *rest]))


def _placed(by_issuer: dict[Fingerprint, list[Fingerprint]], roots: Iterable[Fingerprint]) -> dict[Fingerprint, Node]:
    nodes: dict[Fingerprint, Node] = {}
    claimed: set[Fingerprint] = set()
    y = float(MARGIN)
    for root in roots:
        # Each agent waits twice: to have those below it put on the pile, and to stand in their middle.
        waiting: list[tuple[Fingerprint, int, list[Fingerprint] | None]] = [] if root in claimed else [(root, 0, None)]
        claimed.add(root)
        while waiting:
            name, depth, below = waiting.pop()
            if below is None:
                below = [each for each in dict.fromkeys(by_issuer.get(name, ())) if each not in claimed]
                claimed.update(below)
                waiting += [(name, depth, below), *((each, depth + 1, None) for each in reversed(below))]
                continue
            middle = (nodes[below[0]].y + nodes[below[-1]].y) / 2 if below else y
            y += 0 if below else ROW
            nodes[name] = Node(fingerprint=name, x=MARGIN + depth * COLUMN, y=middle)
    return nodes


def _curve(start: Node, end: Node) -> str:
    # From the end of the issuer's name, so that no line crosses one.
    left, right = start.x + LABEL - _GAP, end.x - _GAP
    middle = (left + right) / 2
    return f"M{left:g} {start.y:g}C{middle:g} {start.y:g} {middle:g} {end.y:g} {right:g} {end.y:g}"
