"""The end of a recovery, read by Ory's own client: the flow's answer has all that Kratos' has.

Source: docs/reference/signatures.md, "Recovery flow".
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from aiohttp.test_utils import TestServer
from ory_client import ApiClient, ApiException, Configuration
from ory_client.api.frontend_api import FrontendApi
from ory_client.models.recovery_flow import RecoveryFlow
from ory_client.models.update_recovery_flow_body import UpdateRecoveryFlowBody
from ory_client.models.update_recovery_flow_with_code_method import UpdateRecoveryFlowWithCodeMethod

from moltnet.domain.recovery import FLOW_LIFETIME, Recovery
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import RestOptions
from tests.support.network import BASE_URL, a_network

pytestmark = pytest.mark.real


@attrs.frozen
class Recovering:
    """An agent that proved its key to a network without Ory, and the code that it got."""

    host: str
    recovery: Recovery

    @property
    def flow(self) -> str:
        return parse_qs(urlsplit(self.recovery.flow_url).query)["flow"][0]

    async def answers(self, code: str) -> Any:
        """What Ory's client reads of the answer to a code; its own errors are raised."""
        method = UpdateRecoveryFlowWithCodeMethod(method="code", code=code)

        def update() -> RecoveryFlow:
            with ApiClient(Configuration(host=self.host)) as client:
                return FrontendApi(client).update_recovery_flow(
                    flow=self.flow, update_recovery_flow_body=UpdateRecoveryFlowBody(method)
                )

        return await asyncio.to_thread(update)


@pytest.fixture
async def recovering() -> AsyncIterator[Recovering]:
    async with a_network() as network:
        member = await network.member()
        recovery = await network.identities.begin_recovery(member.agent_id)
        server = TestServer(create_app(network.services, RestOptions()))
        async with server:
            yield Recovering(str(server.make_url("")).rstrip("/"), recovery)


async def test_ory_client_reads_the_answer_to_the_right_code(recovering: Recovering) -> None:
    flow = await recovering.answers(recovering.recovery.code)
    assert (str(flow.id), flow.state, flow.type) == (recovering.flow, "passed_challenge", "api")
    (step,) = flow.continue_with
    assert step.actual_instance.action == "set_ory_session_token"
    assert step.actual_instance.ory_session_token.startswith("ms_st_")
    assert flow.expires_at - flow.issued_at == FLOW_LIFETIME
    url = f"{BASE_URL}/self-service/recovery?flow={recovering.flow}"
    assert (flow.request_url, flow.ui.action, flow.ui.method, flow.ui.nodes) == (url, url, "POST", [])


async def test_ory_client_reads_the_answer_to_a_wrong_code(recovering: Recovering) -> None:
    flow = await recovering.answers(f"{(int(recovering.recovery.code) + 1) % 10**8:08}")
    assert (flow.state, flow.continue_with) == ("sent_email", None)
    (message,) = flow.ui.messages
    assert (message.id, message.type) == (4060006, "error")
    assert flow.expires_at - flow.issued_at > timedelta(0)


async def test_ory_client_gets_its_own_error_for_a_code_that_was_used(recovering: Recovering) -> None:
    await recovering.answers(recovering.recovery.code)
    with pytest.raises(ApiException) as refused:
        await recovering.answers(recovering.recovery.code)
    assert refused.value.status == 400
