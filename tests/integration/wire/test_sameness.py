"""What a caller may not know of and what is not there are answered alike, to the byte, on every route that takes an id."""

import pytest

from tests.integration.wire.operations import document_of, operations

# Each id of a route, and a thing it can name that the stranger must not learn of: a name of the stage's.
HIDDEN = {
    "{shared}": "{private}",
    "{shared.entry}": "{private.entry}",
    "{request}": "{request}",
    "{invitation}": "{invitation}",
    "{public.entry}": "{private.entry}",
}
# The allowance goes down with each request, whatever it asks for.
OF_ONE_ANSWER = {"X-Request-ID", "Date", "X-RateLimit-Remaining"}
# Profiles and the kinds of problem are open to everyone: there is nothing to hide.
OPEN = {"getAgentProfile", "verifyAgentSignature", "getProblemType"}


def told(reply, target):
    """All of an answer but what is one answer's own."""
    members = {name: value for name, value in reply.json.items() if name != "instance"}
    headers = {name: value for name, value in reply.headers.items() if name not in OF_ONE_ANSWER}
    assert reply.json.get("instance", target) == target
    return reply.status, members, list(reply.json), headers


async def questions(stage):
    """Every operation that takes an id, with a target for the hidden thing and one for each missing part of it."""
    for operation in operations(await document_of(stage.http)):
        takes = {hidden for hidden in HIDDEN if hidden in f"{operation.target} {operation.body}"}
        if operation.operation_id in OPEN or not takes:
            continue
        hidden = replaced(operation, dict.fromkeys(takes), HIDDEN)
        missing = [replaced(operation, {one: "{unknown}"}, HIDDEN) for one in sorted(takes)]
        yield operation, hidden, missing


def replaced(operation, chosen, otherwise):
    def fill(text):
        for name, thing in otherwise.items():
            text = text.replace(name, f"<{(chosen.get(name) or thing)[1:-1]}>")
        return text.replace("<", "{").replace(">", "}")

    body = operation.body
    if isinstance(body, dict):
        body = {name: fill(value) if isinstance(value, str) else value for name, value in body.items()}
    return fill(operation.target), body


@pytest.mark.parametrize("who", ["anyone", "stranger", "revoked"])
async def test_hidden_and_missing_are_answered_alike(stage, who):
    asked = set()
    async for operation, hidden, missing in questions(stage):
        answers = []
        for target, body in (hidden, *missing):
            reply = await stage.ask(f"{who} {operation.method} {target}", body)
            answers.append(told(reply, stage.filled(target)))
        assert answers[0][0] in ({401, 404} if who == "anyone" else {404}), operation.operation_id
        assert all(answer == answers[0] for answer in answers), (operation.operation_id, answers)
        asked.add(operation.operation_id)
    assert len(asked) == 18, sorted(asked)
