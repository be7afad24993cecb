from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType
from uuid import UUID

import attrs
import pytest

from moltnet.domain.constraints import Alias, Description, ItemCount, Text
from moltnet.entrypoints.schema.declare import Choice, DateTime, Items, Member, Nullable, Uuid, members_of, shape_of

ThingId = NewType("ThingId", UUID)


class Kind(StrEnum):
    ONE = "one"


@attrs.frozen(kw_only=True)
class Thing:
    thing_id: ThingId
    public_key: Annotated[str, Text(1, 9), Alias("public_key"), Description("A key")]
    kind: Kind = Kind.ONE
    seen_at: datetime | None
    title: Annotated[str, Text(0, 2)] | None = None


def test_form_has_its_members_in_order_under_their_wire_names():
    assert members_of(Thing).members == (
        Member("thing_id", "thingId", Uuid(), attrs.NOTHING, kind=ThingId),
        Member("public_key", "public_key", Text(1, 9), attrs.NOTHING, "A key", kind=str),
        Member("kind", "kind", Choice(Kind), Kind.ONE, kind=Kind),
        Member("seen_at", "seenAt", Nullable(DateTime()), attrs.NOTHING, kind=datetime),
        Member("title", "title", Text(0, 2), None, kind=str),
    )


def test_optional_member_may_be_absent_and_nullable_may_not():
    optional = {member.alias: member.may_be_absent for member in members_of(Thing).members}
    assert optional == {"thingId": False, "public_key": False, "kind": False, "seenAt": False, "title": True}


def test_item_count_goes_with_a_list():
    assert shape_of(Annotated[list[str], ItemCount(1, 2)]) == Items(Text(), ItemCount(1, 2))


@pytest.mark.parametrize(
    "hint", [bytes, dict[str, str], str | int, Annotated[int, Text(1)], Annotated[str, "why"], None, "str"]
)
def test_type_without_a_shape_is_refused_when_declared(hint):
    with pytest.raises(TypeError):
        shape_of(hint)


def test_pattern_must_be_anchored():
    with pytest.raises(TypeError, match="between"):
        Text(pattern="[a-z]+")


def test_form_is_an_attrs_class():
    with pytest.raises(TypeError, match="no attrs class"):
        members_of(int)
