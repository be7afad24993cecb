"""Problem documents (docs/reference/http.md, "Problems" and "Outages")."""

import pytest

from moltnet.domain.errors import StatementTimedOut


async def test_problem_document_has_its_members_in_order(client, bearer):
    answer = await client.get("/missing?limit=3&q=a+b", headers=bearer)
    assert list((await answer.json()).items()) == [
        ("type", "https://themolt.net/problems/not-found"),
        ("title", "Not Found"),
        ("status", 404),
        ("code", "NOT_FOUND"),
        ("detail", "Diary not found or access denied"),
        ("instance", "/missing?limit=3&q=a+b"),
    ]


async def test_validation_problem_lists_its_faults_last(client):
    problem = await (await client.post("/notes", json={"text": ""})).json()
    assert list(problem) == ["type", "title", "status", "code", "detail", "instance", "errors"]
    assert problem["errors"] == [{"field": "/text", "message": "must NOT have fewer than 1 characters"}]


async def test_route_may_keep_its_faults_in_the_detail_alone(client):
    problem = await (await client.post("/quiet", json={})).json()
    assert problem["detail"] == "body must have required property 'text'"
    assert "errors" not in problem


async def test_throttled_client_learns_when_to_come_back(client):
    answer = await client.get("/throttled")
    problem = await answer.json()
    assert (answer.status, answer.headers["Retry-After"], problem["retryAfter"]) == (429, "7", 7)
    assert (problem["code"], problem["detail"]) == (
        "RATE_LIMIT_EXCEEDED",
        "Too many requests. Please retry after 7 seconds.",
    )


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/broken", 500, "INTERNAL_SERVER_ERROR"), ("/down", 502, "UPSTREAM_ERROR")],
)
async def test_own_faults_are_logged_once_and_never_reported(client, caplog, path, status, code):
    answer = await client.get(path)
    problem = await answer.json()
    assert (answer.status, problem["code"], problem["detail"]) == (status, code, "An unexpected error occurred")
    assert "secret-in-the-message" not in await answer.text()
    logged = [record for record in caplog.records if record.exc_info]
    assert len(logged) == 1
    assert answer.headers["X-Request-ID"] in logged[0].getMessage()


async def test_statement_that_took_too_long_is_reported_as_that(client):
    answer = await client.get("/slow")
    problem = await answer.json()
    assert (answer.status, problem["code"], problem["detail"]) == (502, "UPSTREAM_ERROR", StatementTimedOut.sentence)
    assert int(answer.headers["Retry-After"]) > 0


async def test_service_that_is_down_says_when_to_come_back(client):
    assert int((await client.get("/down")).headers["Retry-After"]) > 0
