"""Tools made of operations: from arguments to the input, from what is answered to what is shown.

What an agent calls a thing becomes the thing: diaries by id, name or `default`, agents by their fingerprint.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

import attrs

from moltnet.domain.constraints import Text
from moltnet.domain.diaries import NAME_MAX
from moltnet.domain.entries import EntryNotFound, UnknownSuccessor
from moltnet.domain.errors import MoltNetError, NotFound
from moltnet.domain.feed import PublicEntryNotFound
from moltnet.domain.ids import DiaryId, EntryId, ShareId, SigningRequestId, parse_uuid
from moltnet.domain.keys import Fingerprint, MalformedFingerprint
from moltnet.domain.sharing import InvitationNotFound
from moltnet.domain.signing import SigningRequestNotFound
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.diaries import AmbiguousDiary
from moltnet.entrypoints.library.diaries import diary_id as id_of_diary
from moltnet.entrypoints.mcp.tools.tool import TEXT_MAX, Tool
from moltnet.entrypoints.operations.appearance import OUTPUT
from moltnet.entrypoints.operations.appearance import Tool as Face
from moltnet.entrypoints.operations.operation import AnyOperation, Auth
from moltnet.entrypoints.schema.convert import reader
from moltnet.entrypoints.schema.declare import Member, Members, Shape, members_of


class NoFingerprint(NotFound):
    """A text that no agent can have as its fingerprint, so that no agent has it."""

    code = "NO_FINGERPRINT"
    sentence = f"No agent has this fingerprint. {MalformedFingerprint.sentence}"


def fingerprint_of(text: str) -> Fingerprint:
    """The fingerprint that a text is; raises NoFingerprint for any other text, as for one that no agent has."""
    try:
        return Fingerprint.parse(text)
    except MalformedFingerprint:
        raise NoFingerprint from None


async def diary_id(agent: Agent, ref: str) -> DiaryId:
    """The diary a caller means; raises what `id_of_diary` raises, in the words of tools."""
    try:
        return await id_of_diary(agent, ref)
    except AmbiguousDiary as error:
        raise AmbiguousDiary(f"{error.detail}, which diaries_list tells") from error


def uuid_of(ref: str, missing: type[MoltNetError]) -> UUID:
    """The UUID that a text is; raises `missing` for any other text, as for an id that nothing has."""
    parsed = parse_uuid(ref)
    if parsed is None:
        raise missing
    return parsed


Show = Callable[[Any, Any], object]
Act = Callable[[Agent, Any], Awaitable[Any]]

_ID_MAX = 100


@attrs.frozen
class Reference:
    """How a tool calls a thing that REST knows by its id; `missing` is raised for a text that is no id."""

    name: str
    description: str
    missing: type[MoltNetError] | None = None

    def argument(self, member: Member) -> Member:
        """The argument in place of a member that is an id."""
        longest = NAME_MAX if self.missing is None else _ID_MAX
        return attrs.evolve(member, alias=self.name, shape=Text(1, longest), description=self.description)

    async def id_of(self, agent: Agent, text: str) -> UUID:
        """The id of the thing; of a diary, by its name too."""
        return await diary_id(agent, text) if self.missing is None else uuid_of(text, self.missing)


_DIARY = Reference("diary_ref", "Diary id, name of your own, or default")
_SUCCESSOR = "Id of the entry of this diary that replaces it; final"
REFERENCES: Mapping[object, Reference] = MappingProxyType(
    {
        ("id", DiaryId): _DIARY,
        ("diary_id", DiaryId): _DIARY,
        ("entry_id", EntryId): Reference("entry_id", "The entry's id", EntryNotFound),
        ("superseded_by", EntryId): Reference("superseded_by", _SUCCESSOR, UnknownSuccessor),
        ("id", EntryId): Reference("entry_id", "The entry's id", PublicEntryNotFound),
        ("id", ShareId): Reference("invitation_id", "Its id in invitations_list", InvitationNotFound),
        ("id", SigningRequestId): Reference(
            "request_id", "request_id of crypto_prepare_signature", SigningRequestNotFound
        ),
    }
)


def tool_of(operation: AnyOperation, show: Show | None = None, *, with_key: Act | None = None) -> Tool:
    """The tool of an operation. `show` makes the answer of the output and the input, where more is to be said.

    `with_key` does it where the agent's private key is at hand, which signs what has to be signed.

    Raises TypeError for an operation that is no tool.
    """
    face = operation.tool
    if face is None:
        raise TypeError(f"{operation.name} is no tool")
    members = face.members(members_of(operation.input))
    arguments = tuple(map(_argument, members))
    read = reader(operation.input)

    async def run(agent: Agent, values: Mapping[str, object]) -> object:
        named = ((member, values.get(argument.alias)) for member, argument in zip(members, arguments, strict=True))
        request = read(
            {each.alias: await _value(agent, face, each, value) for each, value in named if value is not None}
        )
        act = with_key if with_key and agent.keys else None
        output = await (act(agent, request) if act else agent.transport.call(operation, request))
        if show:
            return show(output, request)
        return {name: output if value is OUTPUT else value for name, value in face.answer.items()}

    return Tool(
        face=face,
        run=run,
        arguments=Members(dict, arguments),
        operation=operation.name,
        is_public=operation.auth is Auth.NONE,
    )


def _reference(member: Member) -> Reference | None:
    return REFERENCES.get((member.attribute, member.kind))


def _argument(member: Member) -> Member:
    reference = _reference(member)
    if reference:
        return reference.argument(member)
    return attrs.evolve(
        member, alias=member.attribute, shape=_shape(member), description=member.hint or member.description
    )


def _shape(member: Member) -> Shape:
    shape = member.shape
    if member.kind is Fingerprint:
        return Text(1, _ID_MAX)
    if isinstance(shape, Text) and shape.max is not None:
        return attrs.evolve(shape, max=min(shape.max, TEXT_MAX))
    return shape


async def _value(agent: Agent, face: Face, member: Member, value: object) -> object:
    if face.missing and member.kind is Fingerprint:
        return fingerprint_of(str(value)).text
    reference = _reference(member)
    return str(await reference.id_of(agent, str(value))) if reference else value
