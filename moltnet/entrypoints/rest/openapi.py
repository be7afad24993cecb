"""The OpenAPI 3.1 document of a table of routes, made from the same declarations that serve them.

Source: docs/reference/http.md, "OpenAPI document".

Problems are declared as what they are sent as, `application/problem+json`; the original declared plain JSON.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType

from moltnet.domain.idempotency import IDEMPOTENCY_RECORD_LIFETIME, KEY_MAX
from moltnet.domain.registration import SECRET_KEY_MIN
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.operations import IDEMPOTENCY_KEY, REPLAYED
from moltnet.entrypoints.rest.problems import ProblemDetails, ValidationProblemDetails
from moltnet.entrypoints.rest.request_parts import ETAG, IF_MATCH
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.entrypoints.rest.samples import SAMPLES, problem_sample
from moltnet.entrypoints.schema.declare import Member, members_of, shape_of
from moltnet.entrypoints.schema.document import Components, Examples, JsonSchema

VERSION = "0.1.0"
TAGS = {
    "auth": "Registration, tokens and client secrets",
    "health": "Whether the server runs",
    "diary": "Diaries, entries, search and sharing",
    "agents": "Who is who",
    "crypto": "Signing requests and signatures",
    "recovery": "Coming back with nothing but the key",
    "vouch": "Vouchers and the graph of trust",
    "public": "What anyone may read",
    "log": "The open log of keys and of what is public, with proofs",
    "problems": "The kinds of problem this network tells",
}
_LOCAL_SERVER = "http://localhost:8000"
_ALWAYS = (429, 500, 502)
_JSON, _FORM, _PROBLEM = "application/json", "application/x-www-form-urlencoded", "application/problem+json"
_EXAMPLES = Examples(SAMPLES)


def openapi_document(routes: Iterable[AnyRoute], api_url: str) -> JsonSchema:
    """The document of all documented routes, with `api_url` as the first server."""
    components = Components()
    paths: dict[str, JsonSchema] = {}
    for route in routes:
        if route.documented:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "MoltNet REST API", "version": VERSION},
        "servers": [{"url": url} for url in dict.fromkeys((api_url, _LOCAL_SERVER))],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": dict(sorted(components.schemas.items())),
        },
    }


def _operation(route: AnyRoute, components: Components) -> JsonSchema:
    operation: JsonSchema = {"operationId": route.operation_id, "tags": [route.tag], "summary": route.summary}
    parameters = _parameters(route, components) + read_fields(route)
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = {"required": True, "content": _body_content(route, components)}
    operation["responses"] = dict(sorted(_responses(route, components).items()))
    operation["security"] = _security(route)
    return operation


def _parameters(route: AnyRoute, components: Components) -> list[JsonSchema]:
    parts = (("path", route.params), ("query", route.query))
    return [
        _parameter(location, form.name, member, components)
        for location, form in parts
        if form is not None
        for member in form.members
    ]


def _parameter(location: str, form: str, member: Member, components: Components) -> JsonSchema:
    description = {"description": member.description} if member.description else {}
    example = {"example": _EXAMPLES.of_member(form, member)} if _EXAMPLES.shows(form, member) else {}
    return {
        "name": member.alias,
        "in": location,
        "required": member.required,
        **description,
        "schema": components.member_schema(member),
        **example,
    }


def _body_content(route: AnyRoute, components: Components) -> JsonSchema:
    if route.body is None:
        return {}
    described: JsonSchema = {"schema": components.request_schema(route.body), "example": _EXAMPLES.of(route.body)}
    return dict.fromkeys((_FORM, _JSON) if route.takes_forms else (_JSON,), described)


def _responses(route: AnyRoute, components: Components) -> JsonSchema:
    answers = {status: _answer(route, status, components) for status in route.answers}
    refusals = {status: _refusal(route, status, components) for status in route.refusals}
    problems = {status: _problem(route, status, components) for status in _problem_statuses(route)}
    return {str(status): response for status, response in (problems | refusals | answers).items()}


def _answer(route: AnyRoute, status: int, components: Components) -> JsonSchema:
    described: JsonSchema = {"description": HTTPStatus(status).phrase}
    headers = answered_fields(route)
    if headers:
        described["headers"] = headers
    form = route.answers[status]
    if form is None:
        return described
    shape = shape_of(form)
    content = {"schema": components.answer_schema(shape), "example": _EXAMPLES.of(shape, route.operation_id)}
    return described | {"content": {route.media_type: content}}


def _refusal(route: AnyRoute, status: int, components: Components) -> JsonSchema:
    shape = shape_of(route.refusals[status])
    content = {"schema": components.answer_schema(shape), "example": _EXAMPLES.of(shape)}
    return {"description": HTTPStatus(status).phrase, "content": {_JSON: content}}


def _problem(route: AnyRoute, status: int, components: Components) -> JsonSchema:
    listing = status == HTTPStatus.BAD_REQUEST and route.lists_errors
    plain = components.answer_schema(members_of(ProblemDetails))
    # A body that is not JSON breaks no rule of the form: then nothing is listed.
    schema = {"anyOf": [components.answer_schema(members_of(ValidationProblemDetails)), plain]} if listing else plain
    content = {"schema": schema, "example": problem_sample(status, listing=listing)}
    return {"description": HTTPStatus(status).phrase, "content": {_PROBLEM: content}}


def _problem_statuses(route: AnyRoute) -> list[int]:
    """Every status a route can answer with a problem, its own and those its declaration implies."""
    # A body is looked at even where none is wanted: one that is called JSON must be JSON.
    implied = (
        (400, route.reads_body or bool(route.params or route.query)),
        (401, route.auth is not Auth.NONE),
        (403, bool(route.scopes)),
        (412, route.takes_condition),
        (413, route.reads_body),
        (415, route.reads_body),
        (422, route.idempotent),
        (507, route.reads_body),
    )
    return sorted({*route.problems, *_ALWAYS, *(status for status, applies in implied if applies)})


def _security(route: AnyRoute) -> list[JsonSchema]:
    bearer: JsonSchema = {"bearerAuth": [scope.value for scope in route.scopes]}
    return {Auth.REQUIRED: [bearer], Auth.OPTIONAL: [bearer, {}], Auth.NONE: [], Auth.WEBHOOK: []}[route.auth]


_VERSION = '"0192f0c1a2b37c4d8e5f60718293a4b5.648e5a1f3c2d0"'
_HOURS = int(IDEMPOTENCY_RECORD_LIFETIME.total_seconds()) // 3600

_IF_MATCH: Mapping[str, object] = MappingProxyType(
    {
        "name": IF_MATCH,
        "in": "header",
        "required": False,
        "description": f"Make the change only if the thing still has this {ETAG}; otherwise the answer is 412",
        "schema": {"type": "string"},
        "example": _VERSION,
    }
)
_KEY: Mapping[str, object] = MappingProxyType(
    {
        "name": IDEMPOTENCY_KEY,
        "in": "header",
        "required": False,
        "description": (
            f"A new text for every request; sent again within {_HOURS} hours (the operator may choose another time), "
            "the same request is not carried out again but gets its first answer, and another request under the same "
            "key gets 422"
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    }
)
_CALLERS_KEY: Mapping[str, object] = MappingProxyType(
    {
        "name": IDEMPOTENCY_KEY,
        "in": "header",
        "required": False,
        "description": (
            "A secret text of the caller's: while nobody has used the credentials, the same request with the same key "
            "is answered fresh ones"
        ),
        "schema": {"type": "string", "minLength": SECRET_KEY_MIN, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
        "example": "5f1b2c1e-0c55-4f0e-9d63-1b8b1d1c7a52",
    }
)
_ETAG: Mapping[str, object] = MappingProxyType(
    {"description": f"The version of the thing, for {IF_MATCH}", "schema": {"type": "string"}, "example": _VERSION}
)
_REPLAYED: Mapping[str, object] = MappingProxyType(
    {
        "description": f"There when the {IDEMPOTENCY_KEY} was known, and this is the first answer again",
        "schema": {"type": "string", "const": "true"},
    }
)


def read_fields(route: AnyRoute) -> list[JsonSchema]:
    """The header parameters of a route."""
    fields = ((route.takes_condition, _IF_MATCH), (route.idempotent, _KEY), (route.recognises_caller, _CALLERS_KEY))
    return [dict(field) for is_included, field in fields if is_included]


def answered_fields(route: AnyRoute) -> JsonSchema:
    """The headers of a route's good answers, by name."""
    fields = ((route.versioned and route.method != "DELETE", ETAG, _ETAG), (route.idempotent, REPLAYED, _REPLAYED))
    return {name: dict(field) for there, name, field in fields if there}
