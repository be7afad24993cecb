"""What an agent meets when its network is elsewhere, beside the kinds of `domain.errors` (client.md §9)."""

import attrs

from moltnet.domain.errors import Unauthenticated, Unavailable


@attrs.frozen
class FieldFault:
    """One rule that a request breaks, and where: a JSON pointer, the bare name of a missing member, or `unknown`."""

    field: str
    message: str


class Problem(Exception):
    """What a remote network says of a refusal beside its kind.

    Every refusal is raised as a Problem and as its kind at once, so that `except NotFound` holds wherever the network
    is. Never raised itself.

    Attributes:
        code: the URI that identifies the kind of problem, else the short name.
        problem_code: the short name, such as NOT_FOUND; None when the answer has none.
        status_code: of the answer.
        detail: one sentence for a person.
        errors: the rules that the request breaks, where the network lists them.
        retry_after_s: when it may be tried again, where the network says so.
    """

    code: str
    problem_code: str | None
    status_code: int
    detail: str
    errors: tuple[FieldFault, ...]
    retry_after_s: int | None


class RegistrationError(Problem):
    """A registration that was refused; its key is kept, and may be used for the next try."""


class NetworkError(Unavailable):
    """No answer, or none that can be read. Whether the request was carried out is known only for reading ones."""

    code = "NETWORK_ERROR"
    sentence = "The network does not answer"


class AuthenticationError(Unauthenticated):
    """There is no token for these client credentials. `reason` is OAuth2's word for why (RFC 6749 §5.2)."""

    code = "AUTH_FAILED"

    def __init__(self, detail: str, *, status_code: int, reason: str) -> None:
        self.status_code, self.reason = status_code, reason
        super().__init__(detail)
