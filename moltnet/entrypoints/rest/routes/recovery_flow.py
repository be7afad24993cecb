"""The flow that ends a recovery where no identity service does (docs/reference/signatures.md, "Recovery flow")."""

from http import HTTPStatus

from moltnet.domain.recovery import CodeSpent, FlowNotFound, FlowOver
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.refusals import Refusal
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.recovery import (
    AnswerRecoveryFlow,
    RecoveryFlow,
    RecoveryFlowQuery,
    flow_form,
)

NO_STORE = {"Cache-Control": "no-store"}


async def answer_flow(call: Call[None, AnswerRecoveryFlow, RecoveryFlowQuery]) -> Answer:
    """Exchange a recovery code for a session token."""
    answer = await call.services.recovery.answer_flow(call.query.flow, call.body.code)
    return Answer(flow_form(answer), headers=NO_STORE)


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
        answers={200: RecoveryFlow},
        refusal_form=flow_refusal,
        documented=False,
    ),
)
