"""A stand-in for Keto: tuples as a list with duplicates, and checks by a namespace model that is data.

Source: docs/reference/ory.md, "Keto configuration".
"""

from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import urlencode

import attrs
from aiohttp import web

from tests.support.ory.replies import error_k, json_body, reply

Tuple: TypeAlias = tuple[str, str, str, str | tuple[str, str, str]]
MAX_DEPTH = 5
NOT_FOUND = "The requested resource could not be found"


@attrs.frozen
class Namespace:
    """`permits` maps a permission to the relations that give it, and to permissions of the parent that do."""

    related: frozenset[str]
    permits: Mapping[str, tuple[str, ...]]
    parent_permits: Mapping[str, str] = attrs.field(factory=dict)


NAMESPACES: Mapping[str, Namespace] = {
    "Agent": Namespace(frozenset({"self"}), {"act_as": ("self",)}),
    "Diary": Namespace(
        frozenset({"owner", "writers", "readers"}),
        {"read": ("owner", "writers", "readers"), "write": ("owner", "writers"), "manage": ("owner",)},
    ),
    "DiaryEntry": Namespace(
        frozenset({"parent"}),
        {"view": (), "edit": (), "delete": ()},
        {"view": "read", "edit": "write", "delete": "write"},
    ),
}


@attrs.define(kw_only=True)
class Keto:
    """`lag` is how many reads a write stays unseen."""

    namespaces: Mapping[str, Namespace] = attrs.field(factory=lambda: dict(NAMESPACES))
    tuples: list[Tuple] = attrs.field(factory=list)
    lag: int = 0
    max_batch: int = 10
    page_size: int = 100
    _seen: list[Tuple] = attrs.field(factory=list)
    _unseen_for: int = 0

    def public_routes(self) -> list[web.RouteDef]:
        """What Keto answers on its read port."""
        return [
            web.get("/relation-tuples", self.list_tuples, name="T4"),
            web.post("/relation-tuples/batch/check", self.check_batch, name="T7"),
            web.get("/namespaces", self.list_namespaces, name="T9"),
        ]

    def admin_routes(self) -> list[web.RouteDef]:
        """What Keto answers on its write port."""
        return [
            web.put("/admin/relation-tuples", self.insert, name="T1"),
            web.delete("/admin/relation-tuples", self.delete, name="T3"),
        ]

    async def list_tuples(self, request: web.Request) -> web.Response:
        """T4."""
        if request.query.get("namespace") not in {*self.namespaces, None}:
            return _unknown(request.query["namespace"])
        found = [each for each in self._visible() if _fits(each, request.query)]
        start, size = int(request.query.get("page_token") or 0), int(request.query.get("page_size", self.page_size))
        size = min(size, self.page_size)
        token = str(start + size) if len(found) > start + size else ""
        return reply(
            {"relation_tuples": [_form(each) for each in found[start : start + size]], "next_page_token": token}
        )

    async def check_batch(self, request: web.Request) -> web.Response:
        """T7."""
        asked = (await json_body(request))["tuples"]
        if len(asked) > self.max_batch:
            return error_k(400, message=f"batch exceeds max size of {self.max_batch}")
        visible, results = self._visible(), []
        for each in map(_asked, asked):
            fault = self._fault(each)
            results.append({"allowed": False, "error": fault} if fault else {"allowed": self._allows(visible, each)})
        return reply({"results": results})

    async def list_namespaces(self, _: web.Request) -> web.Response:
        """T9."""
        return reply({"namespaces": [{"name": name} for name in self.namespaces]})

    async def insert(self, request: web.Request) -> web.Response:
        """T1; a second identical tuple is a second row."""
        made = _parsed(await json_body(request))
        if made is None:
            return error_k(400, message="subject is not allowed to be nil")
        if made[0] not in self.namespaces:
            return _unknown(made[0])
        self._change([*self.tuples, made])
        return reply(_form(made), 201, {"Location": f"/relation-tuples?{urlencode(_flat(made))}"})

    async def delete(self, request: web.Request) -> web.Response:
        """T3."""
        if "namespace" not in request.query or set(request.query) - _QUERY:
            return error_k(400, "namespace is missing, or a query key is unknown")
        if request.query["namespace"] not in self.namespaces:
            return _unknown(request.query["namespace"])
        self._change([each for each in self.tuples if not _fits(each, request.query)])
        return web.Response(status=204)

    def _change(self, tuples: list[Tuple]) -> None:
        self.tuples, self._unseen_for = tuples, self.lag

    def _visible(self) -> list[Tuple]:
        if self._unseen_for > 0:
            self._unseen_for -= 1
        else:
            self._seen = list(self.tuples)
        return self._seen

    def _fault(self, asked: Tuple) -> str | None:
        namespace = self.namespaces.get(asked[0])
        if namespace is None:
            return NOT_FOUND
        known = {*namespace.related, *namespace.permits}
        return None if asked[2] in known else "The request was malformed or contained invalid parameters"

    def _allows(self, tuples: list[Tuple], asked: Tuple, depth: int = MAX_DEPTH) -> bool:
        namespace, place, relation, subject = asked
        model = self.namespaces.get(namespace)
        if model is None or depth <= 0:
            return False
        if asked in tuples:
            return True
        if any(
            self._allows(tuples, (namespace, place, each, subject), depth - 1)
            for each in model.permits.get(relation, ())
        ):
            return True
        inherited = model.parent_permits.get(relation)
        parents = [each[3] for each in tuples if each[:3] == (namespace, place, "parent")]
        return inherited is not None and any(
            self._allows(tuples, (above[0], above[1], inherited, subject), depth - 1)
            for above in parents
            if isinstance(above, tuple)
        )


_SUBJECT_SET = ("subject_set.namespace", "subject_set.object", "subject_set.relation")
_QUERY = {"namespace", "object", "relation", "subject_id", *_SUBJECT_SET}


def _unknown(namespace: str) -> web.Response:
    return error_k(404, f'Unknown namespace with name "{namespace}".', message=NOT_FOUND)


def _flat(each: Tuple) -> dict[str, str]:
    """A tuple as a query."""
    namespace, place, relation, subject = each
    pairs = {"subject_id": subject} if isinstance(subject, str) else dict(zip(_SUBJECT_SET, subject, strict=True))
    return {"namespace": namespace, "object": place, "relation": relation} | pairs


def _asked(query: Mapping[str, Any]) -> Tuple:
    subject: str | tuple[str, str, str] = query.get("subject_id") or ""
    if "subject_set.namespace" in query:
        subject = (query[_SUBJECT_SET[0]], query[_SUBJECT_SET[1]], query.get(_SUBJECT_SET[2], ""))
    if "subject_set" in query:
        told = query["subject_set"]
        subject = (told["namespace"], told["object"], told["relation"])
    return query.get("namespace", ""), query.get("object", ""), query.get("relation", ""), subject


def _parsed(body: Any) -> Tuple | None:
    if not isinstance(body, dict) or ("subject_id" in body) == ("subject_set" in body):
        return None
    made = _asked(body)
    return made if all(made) else None


def _fits(each: Tuple, query: Mapping[str, Any]) -> bool:
    named = dict(zip(("namespace", "object", "relation"), each[:3], strict=True))
    if any(name in query and query[name] != value for name, value in named.items()):
        return False
    subject = _asked(query)[3]
    return not subject or subject == each[3]


def _form(each: Tuple) -> dict[str, Any]:
    namespace, place, relation, subject = each
    form: dict[str, Any] = {"namespace": namespace, "object": place, "relation": relation}
    if isinstance(subject, str):
        return form | {"subject_id": subject}
    return form | {"subject_set": dict(zip(("namespace", "object", "relation"), subject, strict=True))}
