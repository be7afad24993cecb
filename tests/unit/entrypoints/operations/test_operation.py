"""What a declaration has to say, and what is made of one."""

import attrs
import pytest

from moltnet.domain.caller import Tier
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.ids import AgentId, ClientId, DiaryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.views import Myself
from moltnet.entrypoints.operations import table  # noqa: F401  # declares the views
from moltnet.entrypoints.operations.appearance import SUCCESS, Http
from moltnet.entrypoints.operations.operation import Auth, Operation
from moltnet.entrypoints.schema.convert import json_value
from moltnet.entrypoints.schema.declare import members_of
from moltnet.entrypoints.schema.views import Shown, view
from tests.support.builders import an_entry, an_id


@attrs.frozen(kw_only=True)
class OneThing:
    id: DiaryId
    name: str = ""


async def nothing(*_: object) -> None:
    """Does nothing."""


def declared(**more):
    parts = {"name": "x", "summary": "X", "input": OneThing, "output": None, "run": nothing}
    return Operation(**{**parts, "scopes": (), "rate": Tier.GLOBAL, **more})


@pytest.mark.parametrize("missing", ["scopes", "rate", "output", "input", "run"])
def test_declaration_without_one_of_its_parts_is_refused(missing):
    parts = {"name": "x", "summary": "X", "input": OneThing, "output": None, "run": nothing, "scopes": (), "rate": None}
    del parts[missing]
    with pytest.raises(TypeError, match=missing):
        Operation(**parts)


def test_output_without_a_shape_is_refused():
    with pytest.raises(TypeError, match="attrs class"):
        declared(output=dict, http=Http("GET", "/things/{id}", tag="x"))


def test_path_parameter_that_is_no_member_is_refused():
    with pytest.raises(TypeError, match="parameters"):
        declared(http=Http("GET", "/things/{name}/{other}", tag="x", envelope=SUCCESS))


@pytest.mark.parametrize(
    ("method", "place"), [("GET", "query"), ("DELETE", "query"), ("POST", "body"), ("PATCH", "body")]
)
def test_members_that_are_not_in_the_path_are_in_the_query_or_the_body(method, place):
    parts = Http(method, "/things/{id}", tag="x").parts(OneThing)
    other = {"query": parts.body, "body": parts.query}[place]
    assert [member.alias for member in parts.params.members] == ["id"]
    assert [member.alias for member in getattr(parts, place).members] == ["name"]
    assert other is None


def test_class_of_the_domain_is_not_rendered_without_a_view():
    unseen = attrs.make_class("Unseen", ["secret"], frozen=True)
    unseen.__module__ = "moltnet.domain.unseen"
    with pytest.raises(TypeError, match="no view"):
        json_value(unseen("x"))


def test_members_are_shown_in_the_order_of_the_view() -> None:
    key = PublicKey(bytes(32))
    me = Myself(
        agent_id=AgentId(an_id()), client_id=ClientId(an_id()), public_key=key, fingerprint=key.fingerprint, proven=True
    )
    shown = {Entry: an_entry(tags=("a",)), Myself: me}
    for form, thing in shown.items():
        order = [member.alias for member in members_of(form).members]
        assert list(json_value(thing)) == [name for name in order if name in json_value(thing)]


def test_view_of_a_member_that_is_not_there_is_refused():
    with pytest.raises(TypeError, match="colour"):
        view(Diary, "Diary", "A diary.", "id", Shown("colour"))


def test_auth_is_required_unless_said_otherwise():
    assert declared().auth is Auth.REQUIRED
