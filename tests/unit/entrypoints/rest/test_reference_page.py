"""The page that shows the OpenAPI document."""

import re
from html.parser import HTMLParser

import pytest

from moltnet.entrypoints.rest.openapi import openapi_document
from moltnet.entrypoints.rest.reference import reference_page
from moltnet.entrypoints.rest.routes import ROUTES

LOADS = {"script", "link", "img", "iframe", "object", "embed", "form"}


class Elements(HTMLParser):
    """Every element of a page with its attributes, and all text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def document():
    return openapi_document(ROUTES, "https://api.example.org")


@pytest.fixture(scope="module")
def page(document):
    return Elements(reference_page(document))


def test_page_needs_nothing_but_itself(page):
    assert not LOADS & {tag for tag, _ in page.found}
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]


def test_every_operation_and_form_has_its_section_and_every_link_leads_there(page, document):
    places = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert len(places) == len(set(places))
    links = {attributes["href"] for tag, attributes in page.found if tag == "a"}
    assert {link[1:] for link in links if link.startswith("#")} <= set(places)
    assert {link for link in links if not link.startswith("#")} == {"/openapi.json"}
    operations = {each["operationId"] for methods in document["paths"].values() for each in methods.values()}
    assert operations <= set(places)
    assert {f"form-{name}" for name in document["components"]["schemas"]} <= set(places)


def test_page_says_what_an_operation_takes(page):
    assert "POST /diaries/{diaryId}/entries" in page.text
    assert re.search(r"createDiaryEntry\. Token required; scopes: diary:write\.", page.text)
    assert "The deploy failed because" in page.text


def test_text_of_the_document_cannot_become_markup(document):
    hostile = document | {"info": {"title": "</style><script>alert(1)</script>", "version": '"><b>'}}
    shown = Elements(reference_page(hostile))
    assert not {"script", "b"} & {tag for tag, _ in shown.found}
