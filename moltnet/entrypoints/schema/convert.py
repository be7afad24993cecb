"""Between wire forms and JSON values: checked values become a typed request, answers become JSON values.

The one cattrs converter of this edge. Nothing is checked here: values come from `validate`, answers from our own code.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NewType, TypeVar
from uuid import UUID

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from moltnet.domain.ids import parse_uuid
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.entrypoints.schema.declare import Member, has_view, members_of
from moltnet.entrypoints.schema.text_values import parse_datetime

Form = TypeVar("Form")

_PLAIN = frozenset({str, int, float, bool, type(None)})  # what is a JSON value already


def reader(form: type[Form]) -> Callable[[dict[str, object]], Form]:
    """What makes a request of checked values, by their names on the wire."""
    read = _CONVERTER.get_structure_hook(form)
    return lambda values: read(values, form)


def json_value(answer: object) -> object:
    """An answer as JSON values: members in declared order, optional ones left out when there is no value."""
    return _CONVERTER.unstructure(answer)


def iso_text(timestamp: datetime) -> str:
    """A point in time as the wire has it: UTC, three digits, cut and not rounded, `Z`.

    Source: docs/reference/http.md, "JSON text".
    """
    return timestamp.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _uuid(text: object, _: object) -> UUID | None:
    return parse_uuid(str(text))


def _date_time(text: object, _: object) -> datetime | None:
    return parse_datetime(str(text))


def _structure_hook(form: type[Any]) -> Callable[[Any, Any], Any]:
    return make_dict_structure_fn(form, _CONVERTER, **overrides(form))


def _unstructure_hook(form: type[Any]) -> Callable[[Any], dict[str, Any]]:
    if _is_of_the_domain(form) and not has_view(form):
        raise TypeError(f"no view says which members of {form!r} are shown")
    members, fields = members_of(form).members, attrs.fields_dict(form)
    in_order = [name for name in fields if name in {member.attribute for member in members}]
    if in_order == [member.attribute for member in members] and not any(member.is_mark for member in members):
        return make_dict_unstructure_fn(form, _CONVERTER, **overrides(form, omitting=True))
    return _viewed(members)


def _viewed(members: tuple[Member, ...]) -> Callable[[Any], dict[str, Any]]:
    """What cattrs does not make: members that are computed or of a part, and those that only say what is so."""
    parts = tuple((each.alias, attrgetter(each.attribute), each.is_mark, each.may_be_absent) for each in members)

    def shown(thing: Any) -> dict[str, Any]:
        values = {}
        for alias, get, is_mark, may_be_absent in parts:
            value = get(thing)
            if (is_mark and not value) or (may_be_absent and value is None):
                continue
            values[alias] = value if type(value) in _PLAIN else _CONVERTER.unstructure(value)
        return values

    return shown


def overrides(form: type, *, omitting: bool = False) -> dict[str, Any]:
    """What cattrs needs to know of a form: the name of each member in JSON, and what a view leaves out."""
    members = {member.attribute: member for member in members_of(form).members}
    return {
        name: override(rename=member.alias, omit_if_default=omitting and member.may_be_absent)
        if (member := members.get(name))
        else override(omit=True)
        for name in attrs.fields_dict(form)
    }


def _is_of_the_domain(form: type) -> bool:
    return form.__module__.startswith("moltnet.domain.") and form.__module__ != "moltnet.domain.views"


def _is_uuid(hint: object) -> bool:
    return (hint.__supertype__ if isinstance(hint, NewType) else hint) is UUID


def _new_converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook_func(_is_uuid, _uuid)
    converter.register_structure_hook_func(lambda hint: hint is object, lambda value, _: value)
    converter.register_structure_hook_factory(attrs.has, _structure_hook)
    converter.register_structure_hook(datetime, _date_time)
    converter.register_structure_hook(Fingerprint, lambda text, _: Fingerprint.parse(text))
    converter.register_unstructure_hook(Fingerprint, str)
    converter.register_unstructure_hook(PublicKey, lambda key: key.text)
    converter.register_unstructure_hook(UUID, str)
    converter.register_unstructure_hook(datetime, iso_text)
    converter.register_unstructure_hook_factory(attrs.has, _unstructure_hook)
    return converter


_CONVERTER = _new_converter()
