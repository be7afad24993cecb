"""Holds every answer of a server to the schema its route declares for the status."""

import functools
import json
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator

from moltnet.entrypoints.rest.problems import ProblemDetails
from moltnet.entrypoints.rest.routes import ROUTES
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.entrypoints.schema.declare import members_of, shape_of
from moltnet.entrypoints.schema.document import Components


class DeclaredAnswers:
    """A signal handler for `on_response_prepare`; what does not fit its schema makes the request fail."""

    def __init__(self, routes: tuple[AnyRoute, ...]) -> None:
        components = Components()
        schemas = {
            (route.method, route.path, status): components.answer_schema(shape_of(form))
            for route in routes
            for status, form in route.answers.items()
        }
        problem = components.answer_schema(members_of(ProblemDetails))
        definitions = {"components": {"schemas": components.schemas}}
        self._answers = {key: Draft202012Validator(schema | definitions) for key, schema in schemas.items()}
        self._problem = Draft202012Validator(problem | definitions)

    async def check(self, request: web.Request, response: web.StreamResponse) -> None:
        """Validates the body of an answer or of a problem."""
        resource = request.match_info.route.resource
        validator: Any = self._answers.get((request.method, resource.canonical if resource else "", response.status))
        if response.content_type == "application/problem+json":
            validator = self._problem
        if not response.content_type.endswith("json"):
            return
        if validator is not None and isinstance(response, web.Response) and isinstance(response.body, bytes):
            validator.validate(json.loads(response.body))


@functools.cache
def declared() -> DeclaredAnswers:
    """Those of every route."""
    return DeclaredAnswers(ROUTES)
