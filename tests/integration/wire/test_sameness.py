"""What a caller may not know of and what is not there are answered alike on every route that takes an id."""

import pytest

from tests.integration.wire.operations import document_of
from tests.integration.wire.sameness import questions

# The allowance goes down with each request, whatever it asks for.
OF_ONE_ANSWER = {"X-Request-ID", "Date", "X-RateLimit-Remaining"}


def told(reply, target):
    """All of an answer but what is one answer's own."""
    members = {name: value for name, value in reply.json.items() if name != "instance"}
    headers = {name: value for name, value in reply.headers.items() if name not in OF_ONE_ANSWER}
    assert reply.json.get("instance", target) == target
    return reply.status, members, list(reply.json), headers


@pytest.mark.parametrize("who", ["anyone", "stranger", "revoked"])
async def test_hidden_and_missing_are_answered_alike(stage, who):
    asked = set()
    for question in questions(await document_of(stage.http)):
        operation, answers = question.operation, []
        for request in (question.hidden, *question.missing):
            reply = await stage.ask(f"{who} {operation.method} {request.target}", request.body)
            answers.append(told(reply, stage.filled(request.target)))
        assert answers[0][0] == (401 if who == "anyone" and operation.operation_id != "getPublicEntry" else 404)
        assert all(answer == answers[0] for answer in answers), (operation.operation_id, answers)
        asked.add(operation.operation_id)
    assert len(asked) == 25, sorted(asked)
