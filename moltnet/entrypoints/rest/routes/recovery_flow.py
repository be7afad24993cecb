"""The flow that ends a recovery where no identity service does, in the words of Kratos.

Source: docs/reference/signatures.md, "Recovery flow".
"""

from http import HTTPStatus
from typing import Annotated

import attrs

from moltnet.domain.constraints import Text
from moltnet.domain.recovery import CodeSpent, FlowAnswer, FlowNotFound, FlowOver
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.refusals import Refusal
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route


@attrs.frozen(kw_only=True)
class RecoveryFlowQuery:
    """The flow a code belongs to."""

    flow: str


@attrs.frozen(kw_only=True)
class AnswerRecoveryFlow:
    """A code for a flow."""

    method: Annotated[str, Text(pattern="^code$")]
    code: str


NO_STORE = {"Cache-Control": "no-store"}


async def answer_flow(call: Call[None, AnswerRecoveryFlow, RecoveryFlowQuery]) -> Answer:
    """Exchange a recovery code for a session token."""
    answer = await call.services.recovery.answer_flow(call.query.flow, call.body.code)
    return Answer(_flow(answer), headers=NO_STORE)


def _flow(answer: FlowAnswer) -> dict[str, object]:
    """A flow as Kratos tells it; with the right code it carries a session token, good for one rotation."""
    token, message = answer.session_token, answer.message_id
    text = "The recovery code is invalid or has expired. Please try again."
    messages = [] if message is None else [{"id": message, "text": text, "type": "error"}]
    step = {"action": "set_ory_session_token", "ory_session_token": token}
    return {
        "id": answer.flow,
        "type": "api",
        "expires_at": answer.expires_at,
        "issued_at": answer.issued_at,
        "request_url": answer.url,
        "state": answer.state,
        "ui": {"action": answer.url, "method": "POST", "nodes": [], "messages": messages},
    } | ({"session_token": token, "continue_with": [step]} if token else {})


def flow_refusal(error: Exception) -> Answer | None:
    """A refusal in the words of Kratos; what is this server's own fault stays a problem.

    Source: docs/reference/ory.md, "Calls", shape K.
    """
    if isinstance(error, FlowOver):
        return _kratos_error(410, error.detail, {"id": "self_service_flow_expired"})
    if isinstance(error, CodeSpent):
        return _kratos_error(400, error.detail, {"details": {"continue_with": [{"action": "show_recovery_ui"}]}})
    if isinstance(error, FlowNotFound):
        return _kratos_error(404, error.detail)
    if isinstance(error, Refusal):
        return _kratos_error(error.status, error.detail)
    return None


def _kratos_error(status: int, reason: str, members: dict[str, object] | None = None) -> Answer:
    phrase = HTTPStatus(status).phrase
    error = {"code": status, "status": phrase, "reason": reason, "message": phrase} | (members or {})
    return Answer({"error": error}, status=status, headers=NO_STORE)


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "POST",
        "/self-service/recovery",
        "answerRecoveryFlow",
        "recovery",
        answer_flow,
        auth=Auth.NONE,
        body=AnswerRecoveryFlow,
        query=RecoveryFlowQuery,
        answers={200: object},
        refusal_form=flow_refusal,
        documented=False,
    ),
)
