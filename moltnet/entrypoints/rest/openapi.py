"""The OpenAPI 3.1 document of a table of routes, made from the same declarations that serve them.

Source: docs/reference/http.md, "OpenAPI document".

Problems are declared as what they are sent as, `application/problem+json`; the original declared plain JSON.
"""

from collections.abc import Iterable
from http import HTTPStatus

from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.header_fields import answered_fields, read_fields
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.entrypoints.rest.samples import SAMPLES, problem_sample
from moltnet.entrypoints.rest.schemas.problems import ProblemDetails, ValidationProblemDetails
from moltnet.entrypoints.schema.declare import Member, members_of, shape_of
from moltnet.entrypoints.schema.document import Components, JsonSchema
from moltnet.entrypoints.schema.examples import Examples

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
