"""The OpenAPI 3.1 document of a table of routes (rest.md §1.12), made from the same declarations that serve them.

Problems are declared as what they are sent as, `application/problem+json`; the original declared plain JSON.
"""

from collections.abc import Iterable
from http import HTTPStatus

from moltnet.entrypoints.rest.routing import AnyRoute, Auth
from moltnet.entrypoints.rest.schema.declare import Member, members_of, shape_of
from moltnet.entrypoints.rest.schema.document import Components, JsonSchema
from moltnet.entrypoints.rest.wire.problems import ProblemDetails, ValidationProblemDetails

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
_ALWAYS = (429, 500)


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
    operation: JsonSchema = {"operationId": route.operation_id, "tags": [route.tag], "summary": _summary(route)}
    parameters = _parameters(route, components)
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = {"required": True, "content": _body_content(route, components)}
    operation["responses"] = _answers(route, components) | _problems(route, components)
    operation["security"] = _security(route)
    return operation


def _summary(route: AnyRoute) -> str:
    return (route.handler.__doc__ or route.operation_id).strip().splitlines()[0].rstrip(".")


def _parameters(route: AnyRoute, components: Components) -> list[JsonSchema]:
    parts = (("path", route.params), ("query", route.query))
    return [
        _parameter(place, member, components)
        for place, form in parts
        if form is not None
        for member in members_of(form).members
    ]


def _parameter(place: str, member: Member, components: Components) -> JsonSchema:
    about = {"description": member.about} if member.about else {}
    return {
        "name": member.wire,
        "in": place,
        "required": member.required,
        **about,
        "schema": components.member_schema(member),
    }


def _body_content(route: AnyRoute, components: Components) -> JsonSchema:
    schema = components.request_schema(members_of(route.body)) if route.body else {}
    kinds = ("application/x-www-form-urlencoded", "application/json") if route.takes_forms else ("application/json",)
    return {kind: {"schema": schema} for kind in kinds}


def _answers(route: AnyRoute, components: Components) -> JsonSchema:
    return {str(status): _answer(status, form, components) for status, form in route.answers.items()}


def _answer(status: int, form: object, components: Components) -> JsonSchema:
    described: JsonSchema = {"description": HTTPStatus(status).phrase}
    if form is None:
        return described
    schema = components.answer_schema(shape_of(form))
    return described | {"content": {"application/json": {"schema": schema}}}


def _problems(route: AnyRoute, components: Components) -> JsonSchema:
    return {str(status): _problem(route, status, components) for status in _problem_statuses(route)}


def _problem(route: AnyRoute, status: int, components: Components) -> JsonSchema:
    listing = status == HTTPStatus.BAD_REQUEST and route.lists_errors
    schema = components.answer_schema(members_of(ValidationProblemDetails if listing else ProblemDetails))
    return {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": schema}},
    }


def _problem_statuses(route: AnyRoute) -> list[int]:
    """Every status a route can answer with a problem, its own and those its declaration implies."""
    takes_input = bool(route.params or route.body or route.query)
    implied = (
        (400, takes_input),
        (401, route.auth is not Auth.NONE),
        (403, bool(route.scopes)),
        (413, route.body is not None),
        (415, route.body is not None),
    )
    return sorted({*route.problems, *_ALWAYS, *(status for status, holds in implied if holds)})


def _security(route: AnyRoute) -> list[JsonSchema]:
    bearer: JsonSchema = {"bearerAuth": [scope.value for scope in route.scopes]}
    return {Auth.REQUIRED: [bearer], Auth.OPTIONAL: [bearer, {}], Auth.NONE: []}[route.auth]
