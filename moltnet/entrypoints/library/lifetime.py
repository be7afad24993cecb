"""How long what a process handed out may be used: in that process, and until its network is closed."""

import os

import attrs

from moltnet.domain.errors import ProcessForked, Unavailable


class NetworkClosed(Unavailable):
    """The context of the network in this process was left, and its agents with it."""

    code = "NETWORK_CLOSED"
    sentence = "The network of this agent is closed; use agents within the 'with' block that opened it"


@attrs.define
class Lifetime:
    """Of a network in this process, and of all its agents."""

    is_over: bool = False
    process: int = attrs.field(factory=os.getpid)

    def check(self) -> None:
        """Raises NetworkClosed, and ProcessForked in a child of the process that opened the network."""
        if self.process != os.getpid():
            raise ProcessForked
        if self.is_over:
            raise NetworkClosed
