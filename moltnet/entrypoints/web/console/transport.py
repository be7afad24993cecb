"""How the console reaches the network: the use cases, with the scopes and the limits that the REST interface has."""

import attrs

from moltnet.domain.caller import AllowanceUsedUp, Tier
from moltnet.domain.ids import ANY_VERSION, Expected
from moltnet.domain.services.requests import ThrottlingService
from moltnet.entrypoints.library.transport import InProcess, Input, Output
from moltnet.entrypoints.operations.operation import Operation


@attrs.frozen
class CountedTransport(InProcess):
    """The transport within this process, where each operation is counted for the agent as the same one over REST.

    What only reads and has no tier of its own is counted with the page that shows it.
    """

    _throttling: ThrottlingService
    _address: str

    async def call(
        self,
        operation: Operation[Input, Output],
        request: Input,
        *,
        key: str | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Output:
        """What the use case answers; raises AllowanceUsedUp beside what `InProcess.call` raises."""
        only_reads = operation.http is None or operation.http.method == "GET"
        if operation.rate is not None and not (operation.rate is Tier.GLOBAL and only_reads):
            caller = self._context.caller
            allowance = await self._throttling.count(operation.rate, operation.name, caller, self._address)
            if not allowance.allowed:
                raise AllowanceUsedUp(allowance.reset_s)
        return await super().call(operation, request, key=key, expected=expected)
