"""Answers of the REST door as what the domain knows: the one cattrs converter of this edge.

Members that are not known here are passed over, so that a newer network can tell more.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from moltnet.adapters.http.calls import camel
from moltnet.domain.authors import Author
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry, Kept, Similar
from moltnet.domain.errors import MoltNetError
from moltnet.domain.explanations import Explanation, LeftOut
from moltnet.domain.ids import EntryId, parse_uuid
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.recovery import Challenge, Recovery
from moltnet.domain.search import Hit, SearchResult, SearchType
from moltnet.domain.versions import version_time
from moltnet.domain.views import Myself, SignatureCheck, TokenHolder
from moltnet.domain.vouching import Edge
from moltnet.ports.remote import NetworkError, Reply

Form = TypeVar("Form")
Edited = TypeVar("Edited", Diary, Entry)

_TIME_RESOLUTION = timedelta(milliseconds=1)  # as fine as the wire tells times
_NAMES: Mapping[type, Mapping[str, str]] = MappingProxyType(
    {
        Myself: {"agent_id": "identityId"},
        TokenHolder: {"agent_id": "identityId"},
        Edge: {"issuer": "issuerFingerprint", "redeemer": "redeemerFingerprint"},
        Challenge: {"text": "challenge", "mac": "hmac"},
        Recovery: {"code": "recoveryCode", "flow_url": "recoveryFlowUrl"},
        ClientSecret: {"secret": "clientSecret"},
        Explanation: {"matched": "matchedWords"},
        LeftOut: {"entry_id": "id"},
    }
)


def read(reply: Reply, form: type[Form]) -> Form:
    """What an answer holds; raises NetworkError for one that another kind of server gave."""
    return structured(reply.value(), form)


def read_list(reply: Reply, name: str, form: type[Form]) -> list[Form]:
    """The list of this name in an answer; raises NetworkError."""
    value = reply.value()
    elements = value.get(name) if isinstance(value, dict) else None
    if not isinstance(elements, list):
        raise _unreadable()
    return [structured(each, form) for each in elements]


def read_page(reply: Reply, form: type[Form]) -> tuple[list[Form], int]:
    """A page of a list, and how many there are; raises NetworkError."""
    return read_list(reply, "items", form), read_member(reply, "total", int)


def read_member(reply: Reply, name: str, form: type[Form]) -> Form:
    """The member of this name in an answer; raises NetworkError."""
    value = reply.value()
    member = value.get(name) if isinstance(value, dict) else None
    if not isinstance(member, form):
        raise _unreadable()
    return member


def read_edited(reply: Reply, form: type[Edited]) -> Edited:
    """A thing that is edited, with the exact time of its version: the entity tag tells it, the body only roughly."""
    thing = read(reply, form)
    identifier, _, _ = (tag := reply.headers.get("ETag", "").strip('"')).partition(".")
    at = version_time(tag)
    if at is None or identifier != thing.id.hex or not timedelta(0) <= at - thing.updated_at < _TIME_RESOLUTION:
        return thing
    return attrs.evolve(thing, updated_at=at)


def structured(value: object, form: type[Form]) -> Form:
    """What a JSON value holds; raises NetworkError."""
    try:
        return _CONVERTER.structure(value, form)
    except (ValueError, TypeError, KeyError, AttributeError, MoltNetError, cattrs.BaseValidationError) as error:
        raise _unreadable() from error


def event_id(created_at: datetime, identifier: UUID) -> str:
    """The id of a feed's event (docs/reference/feed.md, "Live stream")."""
    text = created_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"{text}Z/{identifier}"


def _unreadable() -> NetworkError:
    return NetworkError("The answer cannot be read: is this the address of a network's REST interface?")


def _uuid(value: object, _: object) -> UUID:
    parsed = parse_uuid(str(value))
    if parsed is None:
        raise ValueError
    return parsed


def _date_time(value: object, _: object) -> datetime:
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _search_result(value: Any, _: object) -> SearchResult:
    return SearchResult(
        hits=tuple(map(_hit, value["results"])),
        total=int(value["total"]),
        search_type=SearchType(value["searchType"]),
        confident=value.get("confident"),
        left_out=tuple(_CONVERTER.structure(each, LeftOut) for each in value.get("leftOut") or ()),
    )


def _kept_result(value: Any, _: object) -> Kept:
    return Kept(
        entry=_CONVERTER.structure(value, Entry),
        repeated=bool(value.get("duplicateOf")),
        similar=tuple(Similar(EntryId(_uuid(each["id"], UUID)), each["cosine"]) for each in value.get("similar") or ()),
    )


def _hit(value: Any) -> Hit:
    explanation = value.get("explanation")
    return Hit(
        entry=_CONVERTER.structure(value, Entry),
        score=value.get("score"),
        explanation=_CONVERTER.structure(explanation, Explanation) if explanation else None,
    )


def _author(value: Any, _: object) -> Author:
    return Author(public_key=PublicKey.parse(value["publicKey"]), assumed=bool(value.get("assumed")))


def _signature_check(value: Any, _: object) -> SignatureCheck:
    signer = value.get("signer")
    return SignatureCheck(
        valid=bool(value["valid"]), signer=Fingerprint.parse(signer["fingerprint"]) if signer else None
    )


def _by_json_names(form: type[Any]) -> Callable[[Any, Any], Any]:
    special = _NAMES.get(form, {})
    names = {field.name: override(rename=special.get(field.name, camel(field.name))) for field in attrs.fields(form)}
    return make_dict_structure_fn(form, _CONVERTER, **names)  # type: ignore[arg-type]  # overrides by name


def _new_converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook_factory(attrs.has, _by_json_names)
    converter.register_structure_hook(UUID, _uuid)
    converter.register_structure_hook(datetime, _date_time)
    converter.register_structure_hook(Fingerprint, lambda value, _: Fingerprint.parse(str(value)))
    converter.register_structure_hook(PublicKey, lambda value, _: PublicKey.parse(str(value)))
    converter.register_structure_hook(Author, _author)
    converter.register_structure_hook(SearchResult, _search_result)
    converter.register_structure_hook(Kept, _kept_result)
    converter.register_structure_hook(SignatureCheck, _signature_check)
    return converter


_CONVERTER = _new_converter()
