"""The description of an application's routes: as an OpenAPI document, and as a page."""

from functools import cached_property

import attrs

from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.openapi import openapi_document
from moltnet.entrypoints.rest.reference_page import reference_page
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.entrypoints.schema.document import JsonSchema


@attrs.frozen(slots=False)
class Reference:
    """Made when it is first asked for, then kept."""

    routes: tuple[AnyRoute, ...]
    api_url: str

    @cached_property
    def document(self) -> JsonSchema:
        """The OpenAPI document."""
        return openapi_document(self.routes, self.api_url)

    @cached_property
    def json(self) -> bytes:
        """The document as JSON text."""
        return to_json(self.document)

    @cached_property
    def page(self) -> bytes:
        """The document as HTML."""
        return reference_page(self.document)
