"""Between wire forms and JSON values: checked values become a typed request, answers become JSON values.

The one cattrs converter of this edge. Nothing is checked here: values come from `validate`, answers from our own code.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NewType, TypeVar
from uuid import UUID

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from moltnet.domain.ids import parse_uuid
from moltnet.entrypoints.schema.date_times import parse_datetime
from moltnet.entrypoints.schema.declare import members_of

Form = TypeVar("Form")


def reader(form: type[Form]) -> Callable[[dict[str, object]], Form]:
    """What makes a request of checked values, by their names on the wire."""
    read = _CONVERTER.get_structure_hook(form)
    return lambda values: read(values, form)


def json_value(answer: object) -> object:
    """An answer as JSON values: members in declared order, optional ones left out when there is nothing to tell."""
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
    names = _overrides(form, omitting=False)
    return make_dict_structure_fn(form, _CONVERTER, **names)


def _unstructure_hook(form: type[Any]) -> Callable[[Any], dict[str, Any]]:
    names = _overrides(form, omitting=True)
    return make_dict_unstructure_fn(form, _CONVERTER, **names)


def _overrides(form: type, *, omitting: bool) -> dict[str, Any]:
    return {
        member.attribute: override(rename=member.alias, omit_if_default=omitting and member.may_be_absent)
        for member in members_of(form).members
    }


def _is_uuid(hint: object) -> bool:
    return (hint.__supertype__ if isinstance(hint, NewType) else hint) is UUID


def _new_converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook_func(_is_uuid, _uuid)
    converter.register_structure_hook_func(lambda hint: hint is object, lambda value, _: value)
    converter.register_structure_hook_factory(attrs.has, _structure_hook)
    converter.register_structure_hook(datetime, _date_time)
    converter.register_unstructure_hook(UUID, str)
    converter.register_unstructure_hook(datetime, iso_text)
    converter.register_unstructure_hook_factory(attrs.has, _unstructure_hook)
    return converter


_CONVERTER = _new_converter()
