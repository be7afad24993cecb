"""The transport to a network elsewhere: an operation as a request over HTTP, and its answer as what it tells.

Members of an answer that are not known here are passed over, so that a newer network can tell more.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from moltnet.domain.errors import MoltNetError
from moltnet.domain.idempotency import check_key
from moltnet.domain.ids import parse_uuid
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.versions import ANY_VERSION, Expected, version_time
from moltnet.domain.views import SignatureCheck
from moltnet.entrypoints.operations.operation import AnyOperation, Auth, Http, Operation
from moltnet.entrypoints.schema.convert import overrides
from moltnet.entrypoints.schema.declare import Members
from moltnet.ports.remote import Call, Connection, NetworkError, Reply, Unsendable

Given = TypeVar("Given")
Output = TypeVar("Output")

_TIME_RESOLUTION = timedelta(milliseconds=1)  # as fine as the wire tells times


@attrs.frozen
class OverHttp:
    """The transport over HTTP."""

    _connection: Connection

    async def call(
        self,
        operation: Operation[Given, Output],
        given: Given,
        *,
        key: str | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Output:
        """What the network answers. Raises MalformedIdempotencyKey, what it refuses with, and NetworkError."""
        reply = await self._connection.ask(request_of(operation, given, key, expected))
        answer: Output = answer_of(operation, reply)
        return answer


def request_of(operation: AnyOperation, given: object, key: str | None, expected: Expected) -> Call:
    """An operation as a request. Raises MalformedIdempotencyKey, and Unsendable."""
    http = _http(operation)
    parts = http.parts(operation.form)
    sent = http.form.of(given) if http.form else given
    if key is not None:
        check_key(key)
    body = None if parts.body is None else {name: _plain(value) for name, value in _named(parts.body, sent)}
    return Call(
        method=http.method,
        path=_path(http, parts.params, sent) + _query(parts.query, sent),
        json=body,
        headers={"Idempotency-Key": key} if key is not None else _condition(expected),
        signed_in=operation.auth is not Auth.NONE,
        repeatable=http.method == "GET" or http.repeatable or key is not None,
        once_only=http.once_only,
    )


def answer_of(operation: AnyOperation, reply: Reply) -> Any:
    """What an answer tells; raises NetworkError for one that another kind of server gave."""
    if operation.output is None:
        return None
    envelope, value = _http(operation).envelope, reply.value()
    shown = structured(envelope.unwrap(value) if envelope else value, operation.output)
    return _exact(shown, reply) if operation.versioned else shown


def structured(value: object, form: Any) -> Any:
    """What a JSON value holds; raises NetworkError."""
    try:
        return _CONVERTER.structure(value, form)
    except (ValueError, TypeError, KeyError, AttributeError, MoltNetError, cattrs.BaseValidationError) as error:
        raise NetworkError("The answer cannot be read: is this the address of a network's REST interface?") from error


def _http(operation: AnyOperation) -> Http:
    if operation.http is None:
        raise TypeError(f"{operation.name} is not offered over HTTP")
    return operation.http


def _exact(thing: Any, reply: Reply) -> Any:
    """A thing that is edited, with the exact time of its version: the entity tag tells it, the body only roughly."""
    identifier, _, _ = (tag := reply.headers.get("ETag", "").strip('"')).partition(".")
    at = version_time(tag)
    if at is None or identifier != thing.id.hex or not timedelta(0) <= at - thing.updated_at < _TIME_RESOLUTION:
        return thing
    return attrs.evolve(thing, updated_at=at)


def _named(shape: Members, given: object) -> list[tuple[str, object]]:
    """The members of an input that say something, by their names in JSON: what has its default is not sent."""
    values = ((member, getattr(given, member.attribute)) for member in shape.members)
    return [(member.alias, value) for member, value in values if member.required or value != member.default]


def _path(http: Http, shape: Members | None, given: object) -> str:
    """The path, each parameter of which stays one segment; raises Unsendable."""
    if shape is None:
        return http.path
    try:
        return http.path.format_map({name: quote(str(value), safe="") for name, value in _named(shape, given)})
    except UnicodeEncodeError:
        raise Unsendable from None


def _query(shape: Members | None, given: object) -> str:
    told = {name: _query_text(value) for name, value in _named(shape, given)} if shape else {}
    try:
        return f"?{urlencode(told, doseq=True)}" if told else ""
    except UnicodeEncodeError:
        raise Unsendable from None


def _query_text(value: object) -> str | list[str]:
    if isinstance(value, tuple | list | frozenset):
        return list(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: object) -> object:
    if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return list(map(_plain, value))
    return str(value)


def _condition(expected: Expected) -> Mapping[str, str]:
    if expected.versions is None:
        return {}
    # What cannot stand in a tag (RFC 9110 §8.8.3) is no version of anything; the empty tag is none either.
    tags = [f'"{version}"' for version in expected.versions if _is_tag(version)]
    return {"If-Match": ", ".join(tags) or '""'}


def _is_tag(version: str) -> bool:
    return version.isascii() and version.isprintable() and not set(version) & {'"', " "}


def _uuid(value: object, _: object) -> UUID:
    found = parse_uuid(str(value))
    if found is None:
        raise ValueError
    return found


def _date_time(value: object, _: object) -> datetime:
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _by_json_names(form: type[Any]) -> Callable[[Any, Any], Any]:
    return make_dict_structure_fn(form, _CONVERTER, **overrides(form))


def _signature_check(value: Any, _: object) -> SignatureCheck:
    signer = value.get("signer")
    return SignatureCheck(
        valid=bool(value["valid"]), signer=Fingerprint.parse(signer["fingerprint"]) if signer else None
    )


def _made() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook_factory(attrs.has, _by_json_names)
    converter.register_structure_hook(UUID, _uuid)
    converter.register_structure_hook(datetime, _date_time)
    converter.register_structure_hook(Fingerprint, lambda value, _: Fingerprint.parse(str(value)))
    converter.register_structure_hook(PublicKey, lambda value, _: PublicKey.parse(str(value)))
    converter.register_structure_hook(SignatureCheck, _signature_check)
    return converter


_CONVERTER = _made()
