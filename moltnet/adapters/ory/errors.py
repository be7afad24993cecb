"""What Ory's refusals and silences mean here. No text of theirs is kept: it may repeat what was sent."""

from moltnet.domain.errors import Unavailable


class OryUnavailable(Unavailable):
    """One of the services did not answer, or not as it should; whether the call had its effect is not known."""

    code = "ORY_UNAVAILABLE"

    def __init__(self, service: str, call: str, reason: str) -> None:
        self.service, self.call = service, call
        super().__init__(f"{service} could not {call}: {reason}")


class OryMisconfigured(Unavailable):
    """A service works, but is not set up as this network needs it; the sentence says what to change."""

    code = "ORY_MISCONFIGURED"
