"""Relation tuples and permits by Keto (docs/reference/ory.md, "Keto calls")."""

from collections.abc import Collection, Coroutine, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypedDict

import attrs
from ory_client import (
    BatchCheckPermissionBody,
    CreateRelationshipBody,
    PermissionApi,
    Relationship,
    RelationshipApi,
    SubjectSet,
)
from tenacity import AsyncRetrying, RetryError, retry_if_result, stop_before_delay, wait_exponential

from moltnet.adapters.ory.service import OryMisconfigured, OryService, OryUnavailable, malformed
from moltnet.domain.ids import AgentId, parse_uuid
from moltnet.domain.permissions import (
    Link,
    Namespace,
    Permit,
    Relation,
    RelationTuple,
    Thing,
    TuplePattern,
    TupleRelation,
)

PAGE = 100
BATCH = 10  # Keto's default `limit.max_batch_check_size`
_OK, _CREATED, _DONE, _BAD_REQUEST, _NOT_FOUND = 200, 201, 204, 400, 404
_SMALL_BATCHES = f"Keto does not answer {BATCH} questions at once: set limit.max_batch_check_size to {BATCH}"
_NO_NAMESPACES = "Keto does not know the namespace {}: give it deploy/ory/keto/permissions.ts"


class _Query(TypedDict, total=False):
    namespace: str
    object: str
    relation: str
    subject_id: str
    subject_set_namespace: str
    subject_set_object: str
    subject_set_relation: str


@attrs.frozen(kw_only=True)
class OryRelationStore:
    """The port `RelationStore`.

    A tuple is written when it is not there yet, since Keto would keep it twice. A change is read back until it is
    seen, at most `consistent_within_s`: on Ory Network reads may be a little older than writes.
    """

    public: OryService
    admin: OryService
    consistent_within_s: float = 2.0
    first_poll_s: float = 0.02

    async def write(self, relation_tuple: RelationTuple) -> None:
        """Stores a tuple, once, and waits until it is seen."""
        if await self.list(_exactly(relation_tuple)):
            return
        body = CreateRelationshipBody(**_tuple_form(relation_tuple))
        reply = await self.admin.call(
            "write a relation",
            lambda client, timeout: RelationshipApi(client).create_relationship_without_preload_content(
                body, _request_timeout=timeout
            ),
            {_CREATED, _NOT_FOUND},
        )
        _check_namespace(reply.status, relation_tuple.thing.namespace)
        await self._wait_until("write a relation", partial(self._exists, relation_tuple), expected=True)

    async def delete(self, pattern: TuplePattern) -> None:
        """Removes every tuple that matches, copies included, and waits until none is seen."""
        query = _query(pattern)
        reply = await self.admin.call(
            "delete relations",
            lambda client, timeout: RelationshipApi(client).delete_relationships_without_preload_content(
                **query, _request_timeout=timeout
            ),
            {_DONE, _NOT_FOUND},
        )
        _check_namespace(reply.status, pattern.namespace)
        await self._wait_until("delete relations", partial(self._page, pattern, None), expected=False)

    async def permitted(self, thing: Thing, permits: Collection[Permit], agent: AgentId) -> frozenset[Permit]:
        """Which of the permits the agent has, by Keto's own rules."""
        found: set[Permit] = set()
        for chunk in _chunks(permits):
            questions = [_question(thing, permit, agent) for permit in chunk]
            answers = await self._checked(questions)
            found.update(permit for permit, is_allowed in zip(chunk, answers, strict=True) if is_allowed)
        return frozenset(found)

    async def list(self, pattern: TuplePattern) -> "list[RelationTuple]":
        """Every tuple that matches, each once; those of forms that this network does not write are left out."""
        collected: dict[RelationTuple, None] = {}
        token: str | None = None
        while token != "":
            page = await self._page(pattern, token)
            collected |= dict.fromkeys(each for each in map(_tuple_from, page.tuples) if each is not None)
            token = page.next_token
        return [*collected]

    async def _page(self, pattern: TuplePattern, token: str | None) -> "_Page":
        call, query = "list relations", _query(pattern)
        reply = await self.public.call(
            call,
            lambda client, timeout: RelationshipApi(client).get_relationships_without_preload_content(
                page_size=PAGE, page_token=token, **query, _request_timeout=timeout
            ),
            {_OK, _NOT_FOUND},
        )
        _check_namespace(reply.status, pattern.namespace)
        tuples, next_token = reply.member("relation_tuples"), reply.member("next_page_token")
        if not isinstance(tuples, list) or not isinstance(next_token or "", str):
            raise malformed(self.public, call)
        return _Page(tuples, next_token or "")

    async def _checked(self, questions: Sequence[Relationship]) -> Sequence[bool]:
        call, body = "check permits", BatchCheckPermissionBody(tuples=[*questions])
        reply = await self.public.call(
            call,
            lambda client, timeout: PermissionApi(client).batch_check_permission_without_preload_content(
                batch_check_permission_body=body, _request_timeout=timeout
            ),
            {_OK, _BAD_REQUEST},
        )
        if reply.status == _BAD_REQUEST:
            raise OryMisconfigured(_SMALL_BATCHES)
        results = reply.member("results")
        if not isinstance(results, list) or len(results) != len(questions):
            raise malformed(self.public, call)
        return [self._allowed(call, result) for result in results]

    def _allowed(self, call: str, result: Any) -> bool:
        allowed = result.get("allowed") if isinstance(result, dict) else None
        # An error beside an answer is not an answer: it must not be reported as a denial (docs/reference/http.md,
        # "Outages").
        if not isinstance(allowed, bool) or result.get("error"):
            raise OryUnavailable(
                self.public.name, call, "it could not tell: see that it has deploy/ory/keto/permissions.ts"
            )
        return allowed

    async def _exists(self, relation_tuple: RelationTuple) -> bool:
        (exists,) = await self._checked([Relationship(**_tuple_form(relation_tuple))])
        return exists

    async def _wait_until(self, call: str, probe: partial[Coroutine[Any, Any, Any]], *, expected: bool) -> None:
        read_authorized = AsyncRetrying(
            retry=retry_if_result(lambda found: bool(found) is not expected),
            wait=wait_exponential(multiplier=self.first_poll_s),
            stop=stop_before_delay(self.consistent_within_s),
        )
        try:
            await read_authorized(probe)
        except RetryError as error:
            raise OryUnavailable(self.admin.name, call, "the change is not seen yet") from error


@attrs.frozen
class _Page:
    tuples: "list[Any]"
    next_token: str

    def __bool__(self) -> bool:
        return bool(self.tuples)


def _check_namespace(status: int, namespace: Namespace) -> None:
    if status == _NOT_FOUND:
        raise OryMisconfigured(_NO_NAMESPACES.format(namespace.value))


def _chunks(permits: Collection[Permit]) -> "Iterator[list[Permit]]":
    rest = iter(permits)
    while chunk := list(islice(rest, BATCH)):
        yield chunk


def _exactly(relation_tuple: RelationTuple) -> TuplePattern:
    thing = relation_tuple.thing
    return TuplePattern(
        namespace=thing.namespace, id=thing.id, relation=relation_tuple.relation, subject=relation_tuple.subject
    )


def _tuple_form(relation_tuple: RelationTuple) -> dict[str, Any]:
    form = {
        "namespace": relation_tuple.thing.namespace.value,
        "object": str(relation_tuple.thing.id),
        "relation": relation_tuple.relation.value,
    }
    if relation_tuple.subject.namespace is Namespace.AGENT:
        return form | {"subject_id": str(relation_tuple.subject.id)}
    subject = SubjectSet(
        namespace=relation_tuple.subject.namespace.value, object=str(relation_tuple.subject.id), relation=""
    )
    return form | {"subject_set": subject}


def _question(thing: Thing, permit: Permit, agent: AgentId) -> Relationship:
    return Relationship(
        namespace=thing.namespace.value, object=str(thing.id), relation=permit.value, subject_id=str(agent)
    )


def _query(pattern: TuplePattern) -> _Query:
    query = _Query(namespace=pattern.namespace.value)
    if pattern.id is not None:
        query["object"] = str(pattern.id)
    if pattern.relation is not None:
        query["relation"] = pattern.relation.value
    subject = pattern.subject
    if subject is not None and subject.namespace is Namespace.AGENT:
        query["subject_id"] = str(subject.id)
    elif subject is not None:
        query["subject_set_namespace"], query["subject_set_object"] = subject.namespace.value, str(subject.id)
        query["subject_set_relation"] = ""
    return query


def _tuple_from(form: Any) -> RelationTuple | None:
    """A tuple of Keto's; None for one that this network never writes."""
    try:
        thing = Thing(Namespace(form["namespace"]), _id(form["object"]))
        return RelationTuple(thing, _relation(form["relation"]), _subject(form))
    except (KeyError, TypeError, ValueError):
        return None


def _relation(text: str) -> TupleRelation:
    return Link(text) if text in set(Link) else Relation(text)


def _subject(form: dict[str, Any]) -> Thing:
    if form.get("subject_id"):
        return Thing(Namespace.AGENT, _id(form["subject_id"]))
    subject = form["subject_set"]
    if subject["relation"]:
        raise ValueError("the relation of a subject set")
    return Thing(Namespace(subject["namespace"]), _id(subject["object"]))


def _id(text: str) -> Any:
    found = parse_uuid(text)
    if found is None:
        raise ValueError("no UUID")
    return found
