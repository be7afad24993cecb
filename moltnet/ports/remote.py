"""What an agent has, and meets, when its network is elsewhere (docs/reference/client.md, "Errors and retries")."""

from collections.abc import Mapping
from typing import Any, Protocol

import attrs

from moltnet.domain.errors import Invalid, Unauthenticated, Unavailable
from moltnet.ports.agent import Agent


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


class MalformedPath(Invalid):
    """A path that could lead elsewhere, or holds what no URL can."""

    code = "MALFORMED_PATH"
    sentence = "A path begins with / and has printable ASCII alone, everything else percent-encoded (RFC 3986 §2.1)"


class RemoteAgent(Agent, Protocol):
    """An agent whose network is elsewhere: what no method stands for can be asked of its REST door, too."""

    async def get_token(self) -> str:
        """An access token that is good for 30 seconds at least, to be sent as a bearer's (RFC 6750 §2.1). A secret.

        The one that the agent uses itself: asking again costs nothing until it is about to expire. Raises
        NoCredentials, AuthenticationError and NetworkError.
        """
        ...

    async def request(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON value that the network answers to a request of this agent's, or its text where that is no JSON.

        `path` is below the network's address, and has its query. Tokens, time limits and refusals are those of every
        other method. A GET may be sent again when it fails; any other request is, only if it was not carried out, and
        POST `/auth/register` and `/vouch` never.

        Raises MalformedPath, what the network refuses with, and NetworkError.
        """
        ...
