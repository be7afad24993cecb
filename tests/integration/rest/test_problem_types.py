"""The kinds of problem, and health (docs/reference/endpoints.md, "Problem types" and "Health")."""

from moltnet.entrypoints.operations.problems import PROBLEM_TYPES
from tests.integration.rest.members import ask


async def test_health_needs_nothing(network):
    told = await ask(network.http, "GET", "/health")
    assert (told.status, list(told.json), told.json["status"]) == (200, ["status", "timestamp"], "ok")


async def test_kinds_of_problem_are_listed_in_registry_order(network):
    told = await ask(network.http, "GET", "/problems")
    assert told.headers["Content-Type"] == "application/json; charset=utf-8"
    assert [kind["code"] for kind in told.json] == [row.code for row in PROBLEM_TYPES]
    assert list(told.json[0]) == ["type", "title", "status", "code", "description", "commonCauses"]


async def test_each_kind_is_found_where_problems_point(network):
    for row in PROBLEM_TYPES:
        told = await ask(network.http, "GET", f"/problems/{row.type.rpartition('/')[2]}")
        assert (told.status, told.json["type"]) == (200, row.type)


async def test_unknown_kind_is_out_of_form(network):
    refused = await ask(network.http, "GET", "/problems/nonexistent")
    assert (refused.status, refused.json["code"]) == (400, "VALIDATION_FAILED")
    assert len(refused.json["errors"]) == len(PROBLEM_TYPES) + 1
    assert refused.json["errors"][-1]["message"] == "must match a schema in anyOf"
