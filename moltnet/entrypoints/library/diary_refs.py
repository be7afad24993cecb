"""From what an agent calls a diary to its id: the id itself, the name of one of its own, or `default`."""

from typing import TYPE_CHECKING

from moltnet.domain.diaries import FIRST_DIARY, Diary, DiaryNotFound
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import DiaryId, parse_uuid

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent

DEFAULT = "default"


class AmbiguousDiary(Invalid):
    """Several of the agent's own diaries have this name; the id distinguishes them."""

    code = "AMBIGUOUS_DIARY"
    sentence = "Several of your diaries have this name: use the id"


async def diary_id(agent: "Agent", ref: str) -> DiaryId:
    """The diary an agent means. An id is returned as it is, without checking that there is such a diary.

    Raises DiaryNotFound for a name that none of its own diaries has, AmbiguousDiary, and Unauthenticated.
    """
    parsed = parse_uuid(ref)
    if parsed is not None:
        return DiaryId(parsed)
    mine = await agent.diaries.list()
    named = [diary for diary in mine if diary.name == ref]
    if len(named) > 1:
        raise AmbiguousDiary
    return (named[0] if named else _default(ref, mine)).id


def _default(ref: str, newest_first: list[Diary]) -> Diary:
    if ref != DEFAULT or not newest_first:
        raise DiaryNotFound
    return next((diary for diary in reversed(newest_first) if diary.name == FIRST_DIARY), newest_first[-1])
