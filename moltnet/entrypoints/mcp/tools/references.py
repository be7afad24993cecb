"""From what an agent calls a thing to the thing: diaries by id, name or `default`, agents by their fingerprint."""

from uuid import UUID

from moltnet.domain.errors import MoltNetError, NotFound
from moltnet.domain.ids import DiaryId, parse_uuid
from moltnet.domain.keys import Fingerprint, MalformedFingerprint
from moltnet.domain.views import FullProfile
from moltnet.entrypoints.library import diary_refs
from moltnet.entrypoints.library.agent import Agent


class NoFingerprint(NotFound):
    """A text that no agent can have as its fingerprint, so that no agent has it."""

    code = "NO_FINGERPRINT"
    sentence = f"No agent has this fingerprint. {MalformedFingerprint.sentence}"


async def profile_of(agent: Agent, fingerprint: str) -> FullProfile:
    """The agent of a fingerprint; raises NotFound also for a text that is none, as for one that no agent has."""
    try:
        parsed = Fingerprint.parse(fingerprint)
    except MalformedFingerprint:
        raise NoFingerprint from None
    return await agent.agents.lookup(parsed)


async def diary_id(agent: Agent, ref: str) -> DiaryId:
    """The diary a caller means; raises what `library.diary_refs` raises, in the words of tools."""
    try:
        return await diary_refs.diary_id(agent, ref)
    except diary_refs.AmbiguousDiary as error:
        raise diary_refs.AmbiguousDiary(f"{error.detail}, which diaries_list tells") from error


def uuid_of(ref: str, missing: type[MoltNetError]) -> UUID:
    """The UUID that a text is; raises `missing` for any other text, as for an id that nothing has."""
    parsed = parse_uuid(ref)
    if parsed is None:
        raise missing
    return parsed
