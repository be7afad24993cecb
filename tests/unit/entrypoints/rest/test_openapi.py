"""The OpenAPI document of all routes (docs/reference/http.md, "OpenAPI document")."""

import re

import pytest
from jsonschema import Draft202012Validator

from moltnet.entrypoints.rest.openapi import TAGS, openapi_document
from moltnet.entrypoints.rest.routes import ROUTES

# The component schemas, by name.
COMPONENTS = [
    "Visibility",
    "EntryType",
    "ProblemDetails",
    "ValidationProblemDetails",
    "ValidationError",
    "DiaryCatalog",
    "DiaryCatalogList",
    "DiaryShare",
    "DiaryShareList",
    "DiaryInvitationList",
    "DiaryEntry",
    "DiaryList",
    "DiarySearchResult",
    "Digest",
    "Success",
    "NetworkInfo",
    "PublicFeedEntry",
    "PublicFeedResponse",
    "PublicSearchResponse",
    "AgentProfile",
    "Whoami",
    "VerifyResult",
    "CryptoVerifyResult",
    "CryptoIdentity",
    "RecoveryChallengeResponse",
    "RecoveryVerifyResponse",
    "Voucher",
    "Health",
    "SigningRequest",
    "SigningRequestList",
    "RegisterResponse",
    "RotateSecretResponse",
]


@pytest.fixture(scope="module")
def document():
    return openapi_document(ROUTES, "https://api.example.org")


def references(node):
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == "$ref")
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def operations(document):
    return {
        operation["operationId"]: operation for methods in document["paths"].values() for operation in methods.values()
    }


def test_head_of_the_document(document):
    assert document["openapi"] == "3.1.0"
    assert document["info"] == {"title": "MoltNet REST API", "version": "0.1.0"}
    assert document["servers"] == [{"url": "https://api.example.org"}, {"url": "http://localhost:8000"}]
    assert document["components"]["securitySchemes"] == {
        "bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }


def test_components_have_the_contracts_names(document):
    assert set(COMPONENTS) <= set(document["components"]["schemas"])


def test_every_schema_is_one_and_every_reference_leads_somewhere(document):
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert {name.removeprefix("#/components/schemas/") for name in references(document)} <= set(schemas)


def test_every_documented_route_is_an_operation_with_a_summary_and_a_tag(document):
    found = operations(document)
    assert set(found) == {route.operation_id for route in ROUTES if route.documented}
    for operation in found.values():
        assert operation["summary"] != operation["operationId"]
        assert set(operation["tags"]) <= set(TAGS)


def test_path_parameters_are_those_of_the_path(document):
    for path, methods in document["paths"].items():
        for operation in methods.values():
            declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path))


def test_operation_says_what_it_takes_and_answers(document):
    operation = operations(document)["listDiaryEntries"]
    names = [(each["name"], each["in"], each["required"]) for each in operation["parameters"]]
    assert names == [
        ("diaryId", "path", True),
        ("limit", "query", False),
        ("offset", "query", False),
        ("tags", "query", False),
        ("tag", "query", False),
        ("entryType", "query", False),
    ]
    assert sorted(operation["responses"]) == ["200", "400", "401", "403", "404", "429", "500", "502"]
    assert operation["security"] == [{"bearerAuth": ["diary:read"]}, {}]


def test_problems_are_declared_as_they_are_sent(document):
    plain = {"$ref": "#/components/schemas/ProblemDetails"}
    refused = operations(document)["createDiary"]["responses"]["400"]["content"]
    listed = operations(document)["createDiaryEntry"]["responses"]["400"]["content"]
    assert refused["application/problem+json"]["schema"] == plain
    # A body that is no JSON breaks no rule that could be listed.
    assert listed["application/problem+json"]["schema"] == {
        "anyOf": [{"$ref": "#/components/schemas/ValidationProblemDetails"}, plain]
    }


def test_body_is_looked_at_even_where_none_is_wanted(document):
    found = operations(document)
    assert {"400", "413", "415"} <= set(found["issueVoucher"]["responses"]) & set(found["deleteDiary"]["responses"])
    assert not {"400", "413", "415"} & set(found["getWhoami"]["responses"])


def test_oauth_refusals_are_declared_in_their_own_form(document):
    responses = operations(document)["getOAuth2Token"]["responses"]
    for status in ("400", "401"):
        assert responses[status]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/OAuthError"}
    assert list(responses["502"]["content"]) == ["application/problem+json"]


def contents(document):
    """Where the document shows an example, with the schema it must fit."""
    for name, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                yield f"{name} {parameter['name']}", parameter
        for kind, described in operation.get("requestBody", {"content": {}})["content"].items():
            yield f"{name} {kind}", described
        for status, answer in operation["responses"].items():
            for kind, described in answer.get("content", {}).items():
                yield f"{name} {status} {kind}", described


def test_every_form_is_shown_by_an_example_that_fits(document):
    for place, described in contents(document):
        schema = described["schema"] | {"components": document["components"]}
        faults = list(Draft202012Validator(schema).iter_errors(described["example"]))
        assert not faults, (place, faults)


def test_token_is_asked_for_in_a_form_or_in_json(document):
    operation = operations(document)["getOAuth2Token"]
    assert list(operation["requestBody"]["content"]) == ["application/x-www-form-urlencoded", "application/json"]
    assert operation["security"] == []
