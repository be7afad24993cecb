"""The transport to a network elsewhere: an operation as a request over HTTP, and its answer as what it tells.

Members of an answer that are not known here are passed over, so that a newer network can tell more.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from moltnet.domain.agents import Author
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.entries import Entry, Kept, Similar
from moltnet.domain.errors import MoltNetError
from moltnet.domain.feed import FeedItem
from moltnet.domain.idempotency import check_key
from moltnet.domain.ids import ANY_VERSION, Expected, parse_uuid, version_time
from moltnet.domain.indexing import Span
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.recovery import CodeRefused, CodeSpent, FlowNotFound, FlowOver, Recovery
from moltnet.domain.search import Explanation, Hit
from moltnet.domain.views import Document, SignatureCheck
from moltnet.entrypoints.operations.appearance import Http, Joined
from moltnet.entrypoints.operations.feed import FollowFeed
from moltnet.entrypoints.operations.operation import AnyOperation, Auth, Operation
from moltnet.entrypoints.operations.recovery import ROTATE
from moltnet.entrypoints.schema.convert import iso_text, overrides
from moltnet.entrypoints.schema.declare import Members, members_of
from moltnet.ports.keys import KeyPair, Keyring
from moltnet.ports.remote import UNREADABLE, NetworkError, RemoteConnection, RemoteReply, RemoteRequest, Unsendable

Input = TypeVar("Input")
Output = TypeVar("Output")

_STREAM = "/public/feed/stream"
_TIME_RESOLUTION = timedelta(milliseconds=1)  # as fine as the wire tells times


@attrs.frozen
class OverHttp:
    """The transport over HTTP."""

    _connection: RemoteConnection

    async def call(
        self,
        operation: Operation[Input, Output],
        request: Input,
        *,
        key: str | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Output:
        """What the network answers. Raises MalformedIdempotencyKey, what it refuses with, and NetworkError."""
        reply = await self._connection.ask(request_of(operation, request, key, expected))
        answer: Output = answer_of(operation, reply)
        return answer

    def offers(self, operation: AnyOperation) -> bool:
        """Whether it has a route."""
        return operation.http is not None

    def follow(self, request: FollowFeed, after: FeedItem | None) -> AsyncIterator[FeedItem]:
        path = _STREAM + _query(members_of(FollowFeed), request)
        return self._items(path, f"{iso_text(after.created_at)}/{after.id}" if after else None)

    async def network_info(self) -> Document:
        """The discovery document; raises what the network refuses with under the code NETWORK_INFO_FAILED."""
        call = RemoteRequest(method="GET", path="/.well-known/moltnet.json", signed_in=False, repeatable=True)
        value = (await self._connection.ask(call, code="NETWORK_INFO_FAILED")).value()
        if not isinstance(value, dict):
            raise NetworkError("The answer is not a discovery document; check that this is the address of a network")
        document: dict[str, Any] = value
        return document

    async def llms_txt(self) -> str:
        """The same as Markdown; raises what the network refuses with under the code LLMS_TXT_FAILED."""
        call = RemoteRequest(method="GET", path="/llms.txt", signed_in=False, repeatable=True)
        return (await self._connection.ask(call, code="LLMS_TXT_FAILED")).text

    @property
    def network(self) -> str:
        return self._connection.api_url

    @property
    def keyring(self) -> Keyring | None:
        return self._connection.keyring

    def replaced(self, keys: KeyPair, credentials: ClientSecret) -> None:  # noqa: ARG002  # the agent has the keys
        """Continues with the credentials of another key."""
        self._connection.adopt(credentials)

    async def renew(self, credentials: ClientSecret) -> None:
        await self._connection.renew(credentials)

    async def finish_recovery(self, recovery: Recovery) -> ClientSecret:
        body = {"method": "code", "code": recovery.code}
        reply = await self._connection.answer(_unsigned(recovery.flow_url, body))
        parsed = reply.value()
        session = parsed.get("session_token") if reply.is_good and isinstance(parsed, dict) else None
        if not isinstance(session, str):
            raise _flow_refusal(reply.status)
        call = attrs.evolve(_unsigned("/auth/rotate-secret", None), headers={"X-Session-Token": session})
        return answer_of(ROTATE, await self._connection.ask(call))  # type: ignore[no-any-return]  # what it answers

    async def _items(self, path: str, after: str | None) -> AsyncIterator[FeedItem]:
        async for value in self._connection.follow(path, after):
            yield structured(value, FeedItem)


def _unsigned(path: str, body: object) -> RemoteRequest:
    return RemoteRequest(method="POST", path=path, json=body, signed_in=False)


def _flow_refusal(status: int) -> MoltNetError:
    # In the words of Kratos (docs/reference/signatures.md, "Recovery flow"): the statuses alone distinguish them.
    by_status: dict[int, MoltNetError] = {200: CodeRefused(), 400: CodeSpent(), 404: FlowNotFound(), 410: FlowOver()}
    return by_status.get(status) or NetworkError(f"The recovery flow cannot be finished (HTTP {status})")


def request_of(operation: AnyOperation, request: object, key: str | None, expected: Expected) -> RemoteRequest:
    """An operation as a request. Raises MalformedIdempotencyKey, and Unsendable."""
    http = _http(operation)
    parts = http.parts(operation.input)
    if key is not None:
        check_key(key)
    body = None if parts.body is None else {name: _plain(value) for name, value in _named(parts.body, request)}
    return RemoteRequest(
        method=http.method,
        path=_path(http, parts.params, request) + _query(parts.query, request, http.joined_in(parts.query)),
        json=body,
        headers={"Idempotency-Key": key} if key is not None else _condition(expected),
        signed_in=operation.auth is not Auth.NONE,
        repeatable=http.method == "GET" or http.repeatable or key is not None,
        once_only=http.once_only,
    )


def answer_of(operation: AnyOperation, reply: RemoteReply) -> Any:
    """What an answer tells; raises NetworkError for one that another kind of server gave."""
    if operation.output is None:
        return None
    envelope, value = _http(operation).envelope, reply.value()
    shown = structured(envelope.unwrap(value) if envelope else value, operation.output)
    if isinstance(shown, Kept):
        return attrs.evolve(shown, entry=_exact(shown.entry, reply))
    return _exact(shown, reply) if operation.versioned else shown


def structured(value: object, form: Any) -> Any:
    """What a JSON value holds; raises NetworkError."""
    try:
        return _CONVERTER.structure(value, form)
    except (ValueError, TypeError, KeyError, AttributeError, MoltNetError, cattrs.BaseValidationError) as error:
        raise NetworkError(UNREADABLE) from error


def _http(operation: AnyOperation) -> Http:
    if operation.http is None:
        raise TypeError(f"{operation.name} is not offered over HTTP")
    return operation.http


def _exact(thing: Any, reply: RemoteReply) -> Any:
    """A thing that is edited, with the exact time of its version: the entity tag tells it, the body only roughly."""
    identifier, _, _ = (tag := reply.headers.get("ETag", "").strip('"')).partition(".")
    at = version_time(tag)
    if at is None or identifier != thing.id.hex or not timedelta(0) <= at - thing.updated_at < _TIME_RESOLUTION:
        return thing
    return attrs.evolve(thing, updated_at=at)


def _named(shape: Members, request: object) -> list[tuple[str, Any]]:
    """The members of an input that say something, by their names in JSON: what has its default is not sent."""
    values = ((member, getattr(request, member.attribute, member.default)) for member in shape.members)
    return [(member.alias, value) for member, value in values if member.required or value != member.default]


def _path(http: Http, shape: Members | None, request: object) -> str:
    """The path, each parameter of which stays one segment; raises Unsendable."""
    if shape is None:
        return http.path
    try:
        return http.path.format_map({name: quote(str(value), safe="") for name, value in _named(shape, request)})
    except UnicodeEncodeError:
        raise Unsendable from None


def _query(shape: Members | None, request: object, joined: Mapping[str, Joined] | None = None) -> str:
    values: dict[str, object] = {}
    for name, value in _named(shape, request) if shape else ():
        values |= joined[name].parameters(name, value) if joined and name in joined else {name: _query_text(value)}
    try:
        return f"?{urlencode(values, doseq=True)}" if values else ""
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
    if attrs.has(type(value)) and not isinstance(value, Fingerprint | PublicKey):
        return {name: _plain(member) for name, member in _named(members_of(type(value)), value)}
    return str(value)


def _condition(expected: Expected) -> Mapping[str, str]:
    if expected.versions is None:
        return {}
    # What cannot stand in a tag (RFC 9110 §8.8.3) is not a version of anything; the empty tag is none either.
    tags = [f'"{version}"' for version in expected.versions if _is_tag(version)]
    return {"If-Match": ", ".join(tags) or '""'}


def _is_tag(version: str) -> bool:
    return version.isascii() and version.isprintable() and not set(version) & {'"', " "}


def _exactly(value: object, kind: type[object]) -> object:
    if not isinstance(value, kind):
        raise ValueError  # noqa: TRY004  # as everything else that is not what it should be
    return value


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


def _author(value: Any, _: object) -> Author:
    return Author(public_key=PublicKey.parse(value["publicKey"]), assumed=bool(value.get("assumed")))


def _kept_result(value: Any, _: object) -> Kept:
    return Kept(
        entry=_CONVERTER.structure(value, Entry),
        repeated=bool(value.get("duplicateOf")),
        similar=_CONVERTER.structure(value.get("similar") or (), tuple[Similar, ...]),
    )


def _hit(value: Any, _: object) -> Hit:
    members = value.get("explanation")
    explanation = _CONVERTER.structure(members, Explanation) if members else None
    if explanation and (span := members.get("passage")):
        explanation = attrs.evolve(explanation, passage=Span(span["start"], span["end"]))
    return Hit(entry=_CONVERTER.structure(value, Entry), score=value.get("score"), explanation=explanation)


def _signature_check(value: Any, _: object) -> SignatureCheck:
    signer = value.get("signer")
    return SignatureCheck(
        valid=bool(value["valid"]), signer=Fingerprint.parse(signer["fingerprint"]) if signer else None
    )


def _build_converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook_factory(attrs.has, _by_json_names)
    converter.register_structure_hook(bool, _exactly)
    converter.register_structure_hook(int, _exactly)
    converter.register_structure_hook(UUID, _uuid)
    converter.register_structure_hook(datetime, _date_time)
    converter.register_structure_hook(Fingerprint, lambda value, _: Fingerprint.parse(str(value)))
    converter.register_structure_hook(PublicKey, lambda value, _: PublicKey.parse(str(value)))
    converter.register_structure_hook(Author, _author)
    converter.register_structure_hook(Kept, _kept_result)
    converter.register_structure_hook(Hit, _hit)
    converter.register_structure_hook(SignatureCheck, _signature_check)
    return converter


_CONVERTER = _build_converter()
