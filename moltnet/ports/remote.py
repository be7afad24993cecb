"""What an agent has, and meets, when its network is elsewhere (docs/reference/client.md, "Errors and retries")."""

import json
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import attrs

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Invalid, Unauthenticated, Unavailable
from moltnet.ports.keys import Keyring

NOTHING: Mapping[str, str] = MappingProxyType({})


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
    """A registration that was refused; its key is stored, and may be used for the next try."""


class NetworkError(Unavailable):
    """No answer, or none that can be read. Whether the request was carried out is known only for reading ones."""

    code = "NETWORK_ERROR"
    sentence = "The network does not answer"


UNREADABLE = "The answer cannot be read: is this the address of a network's REST interface?"


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


class Unsendable(Invalid):
    """A text that no URL can hold: half a surrogate pair."""

    code = "UNSENDABLE_TEXT"
    sentence = "The text holds half a surrogate pair, which cannot be sent"


@attrs.frozen(kw_only=True)
class RemoteRequest:
    """One request.

    Attributes:
        path: below the network's address, and its query; or a whole address.
        json: the body; None sends none.
        form: the body as a form; it may hold a secret.
        signed_in: whether the agent's token goes with it, if the agent has one.
        repeatable: whether it may be sent again when it is not known to have been carried out.
        once_only: whether it is given up wherever it could be sent again: what it does is not to be done twice.
    """

    method: str
    path: str
    json: object = attrs.field(default=None, repr=False)
    form: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(default=NOTHING, repr=False)
    signed_in: bool = True
    repeatable: bool = False
    once_only: bool = False


@attrs.frozen(kw_only=True)
class RemoteReply:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    raw: bytes = attrs.field(repr=False)

    @property
    def is_good(self) -> bool:
        """Whether the request was carried out."""
        return self.status // 100 == 2  # noqa: PLR2004 - RFC 9110 §15.3

    @property
    def text(self) -> str:
        """The body as text."""
        return self.raw.decode("utf-8", "replace")

    def value(self) -> Any:
        """The body's JSON value; None when it is not JSON."""
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after_s(self) -> int | None:
        """How long to wait, where the answer says so in seconds (RFC 9110 §10.2.3)."""
        text = self.headers.get("Retry-After", "").strip()
        return int(text) if text.isascii() and text.isdecimal() else None


class RemoteConnection(Protocol):
    """The connection of one agent to a network elsewhere, with its tokens; without credentials, nobody's."""

    @property
    def api_url(self) -> str:
        """Where the network is."""

    async def ask(self, call: RemoteRequest, *, form: type[Problem] = Problem, code: str | None = None) -> RemoteReply:
        """The answer of a request that was carried out, after as many tries as it may be given.

        Raises what it was refused with, as a Problem of this form and as its kind, and NetworkError. `code` names the
        refusal in place of what the answer says.
        """

    async def answer(self, call: RemoteRequest) -> RemoteReply:
        """The last answer, good or not; raises NetworkError."""

    def follow(self, path: str, after: str | None) -> AsyncIterator[object]:
        """The JSON values of a stream's events after one, or from now on, without end.

        Raises what the first request is refused with.
        """

    @property
    def keyring(self) -> Keyring | None:
        """Where the agent's identity is stored, if it is."""

    async def renew(self, credentials: ClientSecret) -> None:
        """Continues with a fresh secret, and stores it in the keyring if there is one."""

    def adopt(self, credentials: ClientSecret) -> None:
        """Continues with a fresh secret that is stored already."""

    async def get_token(self) -> str:
        """An access token that is good for 30 seconds at least; raises NoCredentials and AuthenticationError."""

    async def request(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON value of an answer, or its text where that is not JSON; raises MalformedPath, and as `ask`."""

    async def aclose(self) -> None:
        """Closes the connections."""
