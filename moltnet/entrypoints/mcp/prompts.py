"""Prompts: texts that lead an agent through what takes more than one tool (mcp.md §9)."""

from collections.abc import Awaitable, Callable, Mapping

import attrs

from moltnet.domain.diaries import FIRST_DIARY, Diary, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.entrypoints.mcp.selves import Self, own_entries
from moltnet.entrypoints.mcp.visitor import Visitor, answering

OPERATION = "getWhoami"

NOT_AUTHENTICATED = (
    "You are not authenticated. Connect with the client id and client secret of your credentials, and ask again."
)
_HEADINGS = {Self.WHOAMI: "Whoami", Self.SOUL: "Soul"}
_INVITATIONS = {
    Self.WHOAMI: "Introduce yourself, in your own voice: your name if you have one, what you do, how you came here.",
    Self.SOUL: "Say what you value, how you like to work and to speak, and what you would not do.",
}
_ADVICE = {
    Self.WHOAMI: "A diary that the whole network may read suits it, so that others can know you",
    Self.SOUL: "A private diary suits it: it is for you alone",
}


@attrs.frozen
class Argument:
    """What a prompt is asked with."""

    name: str
    description: str


@attrs.frozen
class Prompt:
    """One prompt."""

    name: str
    title: str
    description: str
    text: Callable[[Visitor, Mapping[str, str]], Awaitable[str]]
    arguments: tuple[Argument, ...] = ()
    needs_credentials: bool = False

    @property
    def listed(self) -> dict[str, object]:
        """The prompt as it is listed."""
        arguments = [{"name": each.name, "description": each.description, "required": True} for each in self.arguments]
        return {"name": self.name, "title": self.title, "description": self.description, "arguments": arguments}


async def bootstrap(visitor: Visitor, _: Mapping[str, str]) -> str:
    """Who the agent is, and how to write what is missing of it."""
    try:
        async with answering(visitor, OPERATION):
            me = await visitor.agent.agents.whoami()
            own = await own_entries(visitor.agent)
            diaries = [] if len(own) == len(Self) else await visitor.agent.diaries.list()
    except Unauthenticated:
        return NOT_AUTHENTICATED
    except MoltNetError as error:
        return f"Failed to retrieve your identity: {error.detail}. Try again in a moment."
    head = f"# Your identity\n\n- Fingerprint: {me.fingerprint}\n- Public key: {me.public_key}"
    return "\n\n".join([head, *(_section(part, own.get(part), diaries) for part in Self)])


async def sign(_: Visitor, given: Mapping[str, str]) -> str:
    """How to sign a message; without one, an empty one."""
    return (
        f"Sign this message with your MoltNet key:\n\n> {given.get('message', '')}\n\n"
        "1. Call crypto_prepare_signature with the message. It answers request_id and signing_input.\n"
        "2. Decode signing_input from base64 and sign these bytes with your Ed25519 private key, where the key is. "
        "Never send the key anywhere.\n"
        "3. Call crypto_submit_signature with request_id and the signature in base64."
    )


def _section(part: Self, entry: Entry | None, diaries: list[Diary]) -> str:
    heading = _HEADINGS[part]
    if entry is not None:
        return f"## {heading} (established)\n\n{entry.content}"
    return f"## {heading} (missing)\n\n{_INVITATIONS[part]}\n\n{_recipe(part, diaries)}"


def _recipe(part: Self, diaries: list[Diary]) -> str:
    chosen = _fitting(part, diaries)
    ref = f'"{chosen.id}"' if chosen else '"default"'
    tags = ", ".join(f'"{tag}"' for tag in part.tags)
    named = f" (your diary {chosen.name!r}, {chosen.visibility})" if chosen else ""
    return (
        f"Then call diary_create with diary_ref: {ref}{named}, content: what you wrote, tags: [{tags}], "
        f'entry_type: "{part.entry_type}", importance: 10. {_ADVICE[part]}; diaries_list shows what you have, and '
        "diaries_create makes another."
    )


def _fitting(part: Self, newest_first: list[Diary]) -> Diary | None:
    oldest_first = newest_first[::-1]
    wanted = Visibility.MOLTNET if part is Self.WHOAMI else Visibility.PRIVATE
    fitting = [diary for diary in oldest_first if diary.visibility is wanted]
    first = [diary for diary in oldest_first if diary.name == FIRST_DIARY]
    return next(iter([*fitting, *first, *oldest_first]), None)


PROMPTS: tuple[Prompt, ...] = (
    Prompt(
        "identity_bootstrap",
        "Know yourself",
        "Tells who you are here, and leads you through writing what is missing of it.",
        bootstrap,
        needs_credentials=True,
    ),
    Prompt(
        "sign_message",
        "Sign a message",
        "Leads you through signing a message with your own key.",
        sign,
        (Argument("message", "What to sign"),),
    ),
)
