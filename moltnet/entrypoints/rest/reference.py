"""The description of an application's routes: an OpenAPI document, and a page of HTML that needs nothing else.

The page has no script and makes no other request. So it is readable under the content security policy of every answer
(docs/reference/http.md, "Response headers"), and where that policy makes a browser fetch a page's parts by HTTPS from a
server that speaks plain HTTP.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import resources
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import attrs
from aiohttp import web

from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.openapi import openapi_document
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


Node = Mapping[str, Any]

_STYLE = "assets/reference.css"
_CLASSES = {"class": "scroll"}


REFERENCE = web.AppKey("reference", Reference)


def reference_page(document: Node) -> bytes:
    """The page, in UTF-8."""
    html = Element("html", lang="en")
    _head(SubElement(html, "head"), document)
    body = SubElement(html, "body")
    _introduction(body, document)
    operations = list(_operations(document))
    _contents(body, document, operations)
    for tag in document["tags"]:
        _text(body, "h2", tag["name"], id=f"tag-{tag['name']}")
        _text(body, "p", tag["description"])
        for method, path, operation in operations:
            if tag["name"] in operation["tags"]:
                _operation(body, method, path, operation)
    _schemas(body, document["components"]["schemas"])
    text: bytes = tostring(html, encoding="utf-8", method="html")
    return b"<!doctype html>\n" + text


def _head(head: Element, document: Node) -> None:
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _text(head, "title", document["info"]["title"])
    _text(head, "style", (resources.files(__package__) / _STYLE).read_text(encoding="utf-8"))


def _introduction(body: Element, document: Node) -> None:
    heading = _text(body, "h1", f"{document['info']['title']} ")
    _text(heading, "small", document["info"]["version"])
    paragraph = _text(body, "p", "For programs: ")
    _text(paragraph, "a", "openapi.json", href="/openapi.json")
    servers = _text(body, "p", "Served at ")
    _text(servers, "code", document["servers"][0]["url"])


def _contents(body: Element, document: Node, operations: list[tuple[str, str, Node]]) -> None:
    nav = SubElement(body, "nav")
    for tag in document["tags"]:
        _text(_text(nav, "h4", ""), "a", tag["name"], href=f"#tag-{tag['name']}")
        entries = SubElement(nav, "ul")
        for _, _, operation in operations:
            if tag["name"] in operation["tags"]:
                link = {"href": f"#{operation['operationId']}"}
                _text(SubElement(entries, "li"), "a", operation["summary"], **link)


def _operations(document: Node) -> Iterator[tuple[str, str, Node]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _operation(body: Element, method: str, path: str, operation: Node) -> None:
    details = SubElement(body, "details")
    summary = SubElement(details, "summary")
    _text(summary, "code", f"{method} {path}")
    _text(summary, "span", operation["summary"])
    # A browser that goes to an anchor within closed details opens them.
    inside = SubElement(details, "div", id=operation["operationId"])
    _text(inside, "p", f"{operation['operationId']}. {_access(operation['security'])}")
    if "parameters" in operation:
        _text(inside, "h4", "Parameters")
        rows = [(each["name"], each["in"], each["required"], each["schema"]) for each in operation["parameters"]]
        _table(inside, ("Name", "In", "Required", "Form"), rows)
    if "requestBody" in operation:
        _content(inside, "Body", operation["requestBody"]["content"])
    for status, answer in operation["responses"].items():
        _content(inside, f"{status} {answer['description']}", answer.get("content", {}))


def _access(security: list[Node]) -> str:
    if not security:
        return "Open to everyone."
    scopes = ", ".join(security[0]["bearerAuth"]) or "none"
    return f"Token {'optional' if {} in security else 'required'}; scopes: {scopes}."


def _content(inside: Element, title: str, content: Node) -> None:
    _text(inside, "h4", title)
    for media_type, described in content.items():
        paragraph = _text(inside, "p", f"{media_type}: ")
        _form(paragraph, described["schema"])
        if "properties" in described["schema"]:
            _members(inside, described["schema"])
        _text(inside, "pre", json.dumps(described["example"], indent=2, ensure_ascii=False))


def _schemas(body: Element, schemas: Node) -> None:
    _text(body, "h2", "Forms", id="forms")
    for name, schema in schemas.items():
        details = SubElement(body, "details")
        _text(SubElement(details, "summary"), "code", name)
        inside = SubElement(details, "div", id=f"form-{name}")
        _text(inside, "p", schema.get("description", ""))
        if "properties" in schema:
            _members(inside, schema)
        else:
            _form(SubElement(inside, "p"), schema)


def _members(inside: Element, schema: Node) -> None:
    required = schema.get("required", [])
    rows = [(name, "", name in required, member) for name, member in schema["properties"].items()]
    _table(inside, ("Member", "", "Required", "Form"), rows)


def _table(inside: Element, heads: tuple[str, ...], rows: list[tuple[str, str, bool, Node]]) -> None:
    table = SubElement(SubElement(inside, "div", _CLASSES), "table")
    head = SubElement(table, "tr")
    for title in heads:
        _text(head, "th", title)
    for name, location, required, schema in rows:
        row = SubElement(table, "tr")
        _text(SubElement(row, "td"), "code", name)
        _text(row, "td", location)
        _text(row, "td", "yes" if required else "")
        _form(SubElement(row, "td"), schema)


def _form(inside: Element, schema: Node) -> None:
    """A schema in words, with links to the forms that it names."""
    span = SubElement(inside, "span")
    last: Element | None = None
    for text, form in schema_text(schema):
        if form:
            last = _text(span, "a", text, href=f"#form-{form}")
        elif last is None:
            span.text = (span.text or "") + text
        else:
            last.tail = (last.tail or "") + text


def _text(inside: Element, name: str, text: str, **attributes: str) -> Element:
    element = SubElement(inside, name, attributes)
    element.text = text
    return element


Schema = Mapping[str, Any]

_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "pattern {}",
    "default": "default {}",
}


def schema_text(schema: Schema) -> Iterator[tuple[str, str | None]]:
    """The words in their order; a word that names a component comes with the component's name."""
    yield from _kind(schema)
    limits = [words.format(_value(schema[key])) for key, words in _LIMITS.items() if key in schema]
    if limits:
        yield f" ({', '.join(limits)})", None
    if "description" in schema:
        yield f". {schema['description']}", None


def _kind(schema: Schema) -> Iterator[tuple[str, str | None]]:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        yield name, name
    elif "anyOf" in schema:
        for number, option in enumerate(schema["anyOf"]):
            if number:
                yield " or ", None
            yield from _kind(option)
    elif schema.get("type") == "array":
        yield "list of ", None
        yield from schema_text(schema["items"])
    elif "const" in schema:
        yield f"always {_value(schema['const'])}", None
    elif "enum" in schema:
        yield f"one of {', '.join(schema['enum'])}", None
    else:
        yield _plain(schema), None


def _plain(schema: Schema) -> str:
    kinds = schema.get("type", "anything")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return f"{words}, {schema['format']}" if "format" in schema else words


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
