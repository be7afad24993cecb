"""From what an agent calls a thing to its id: diaries by id, name or `default`, everything else by id."""

from uuid import UUID

from moltnet.domain.errors import NotFound
from moltnet.domain.ids import DiaryId, parse_uuid
from moltnet.entrypoints.library import diary_refs
from moltnet.ports.agent import Agent


async def diary_id(agent: Agent, ref: str) -> DiaryId:
    """The diary a caller means; raises what `library.diary_refs` raises, in the words of tools."""
    try:
        return await diary_refs.diary_id(agent, ref)
    except diary_refs.AmbiguousDiary as error:
        raise diary_refs.AmbiguousDiary(f"{error.detail}, which diaries_list tells") from error


def uuid_of(ref: str, missing: type[NotFound]) -> UUID:
    """The UUID that a text is; raises `missing` for any other text, as for an id that nothing has."""
    found = parse_uuid(ref)
    if found is None:
        raise missing
    return found
