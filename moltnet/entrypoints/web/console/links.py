"""Where the command line asks for a one-time link into the console, with its agent's token."""

from typing import Annotated

import attrs

from moltnet.domain.constraints import Description
from moltnet.domain.credentials import Scope
from moltnet.domain.web_sessions import LINK_LIFETIME
from moltnet.entrypoints.rest.routing import Answer, Call, Route
from moltnet.entrypoints.schema.views import view


@attrs.frozen(kw_only=True)
class SignInPath:
    """A one-time way into the console."""

    path: Annotated[str, Description("Below the network's address; a secret")]
    expires_in: Annotated[int, Description("Seconds")]


view(SignInPath, "SignInPath", "A one-time way into the console.", "path expires_in")


async def _link(call: Call[None, None, None]) -> Answer:
    """Make a one-time link into the console."""
    code = await call.services.web_sessions.link(call.agent)
    return Answer(SignInPath(path=f"/console/enter/{code}", expires_in=int(LINK_LIFETIME.total_seconds())), status=201)


LINK_ROUTE = Route(
    "POST",
    "/console/links",
    "createSignInLink",
    "auth",
    _link,
    scopes=(Scope.AGENT_PROFILE,),
    answers={201: SignInPath},
    documented=False,
)
