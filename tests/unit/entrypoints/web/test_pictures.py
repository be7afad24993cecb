"""Pictures of keys, and the drawing of vouches."""

from xml.etree import ElementTree as ET

from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.web.pictures import HEIGHT, WIDTH, bishop, identicon
from moltnet.entrypoints.web.trust_layout import ROW, draw
from tests.support.builders import NOON

keys = st.binary(min_size=32, max_size=32).map(PublicKey)


def named(number: int) -> Fingerprint:
    return Fingerprint(f"0000-0000-0000-{number:04X}")


@given(keys)
def test_a_key_has_one_picture_within_its_field(key: PublicKey) -> None:
    walk = bishop(key)
    assert walk == bishop(key)
    assert walk.end in {(dot.x, dot.y) for dot in walk.dots}
    assert all(0 <= dot.x < WIDTH and 0 <= dot.y < HEIGHT and 0 < dot.radius < 0.5 for dot in walk.dots)
    ET.fromstring(identicon(key.fingerprint.text))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
@example([(0, 1), (1, 0)])
@example([(0, 0)])
@example([(number, number + 1) for number in range(31)])
def test_vouches_are_drawn_the_same_each_time_and_no_agents_meet(pairs: list[tuple[int, int]]) -> None:
    edges = [Edge(issuer=named(one), redeemer=named(other), redeemed_at=NOON) for one, other in pairs]
    drawing = draw(edges, named(99))
    assert drawing == draw(edges, named(99))
    assert len(drawing.lines) == len(edges)
    assert {node.fingerprint for node in drawing.nodes} == {named(each) for pair in pairs for each in pair} | {
        named(99)
    }
    assert len({(node.x, node.y) for node in drawing.nodes}) == len(drawing.nodes)
    assert all(0 < node.x < drawing.width and 0 < node.y < drawing.height for node in drawing.nodes)


def test_agents_of_a_generation_stand_apart_and_their_voucher_between_them() -> None:
    parents = (0, 0, 1, 1, 2)
    edges = [
        Edge(issuer=named(parent), redeemer=named(child), redeemed_at=NOON) for child, parent in enumerate(parents, 1)
    ]
    at = {node.fingerprint: node for node in draw(edges).nodes}
    assert at[named(4)].y - at[named(3)].y == ROW
    assert at[named(1)].y == (at[named(3)].y + at[named(4)].y) / 2
    assert at[named(0)].x < at[named(1)].x == at[named(2)].x < at[named(5)].x
