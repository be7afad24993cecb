"""A permission store that lives elsewhere: relation tuples, and the permits they give by its own model."""

from collections.abc import Collection
from typing import Protocol

from moltnet.domain.ids import AgentId
from moltnet.domain.relations import Permit, RelationTuple, Thing, TuplePattern


class RelationStore(Protocol):
    """Tuples in namespaces `Agent`, `Diary` and `DiaryEntry` (docs/reference/access.md, "Rights").

    Every call is safe to repeat: a step that crashed between its effect and the memory of it is run again. A call that
    returned is in force for every later one; a store that settles late waits until it is, within a bound of its own.
    Any call raises Unavailable when the store does not answer, or not in that time; then it may have had its effect.
    An outage is never reported as an answer: not as a missing permit, nor as an empty list.
    """

    async def write(self, relation_tuple: RelationTuple) -> None:
        """Stores a tuple; repeating it is not an error, and one `delete` takes it away all the same."""
        ...

    async def delete(self, pattern: TuplePattern) -> None:
        """Removes every tuple that matches; a missing one is not an error."""
        ...

    async def permitted(self, thing: Thing, permits: Collection[Permit], agent: AgentId) -> frozenset[Permit]:
        """Which of the permits the agent has on a diary (`Right`) or an entry (`EntryRight`); unknown things give none.

        A permit follows from the tuples by these rules: `read` = owner, writers or readers; `write` = owner or
        writers; `manage` = owner; `view` = the parent's `read`; `edit` and `delete` = the parent's `write`.
        """
        ...

    async def list(self, pattern: TuplePattern) -> list[RelationTuple]:
        """Every tuple that matches, each once, in no order."""
        ...
