"""Who may do what, told again in the plainest way: a dictionary of diaries, and of each a dictionary of guests."""

import attrs

from moltnet.domain.diaries import Visibility
from moltnet.domain.sharing import ShareRole, ShareStatus


@attrs.define
class ModelShare:
    """An invitation to one agent."""

    role: ShareRole
    status: ShareStatus = ShareStatus.PENDING


@attrs.define
class ModelDiary:
    """A diary; agents and diaries are numbers."""

    owner: int
    visibility: Visibility
    shares: dict[int, ModelShare] = attrs.field(factory=dict)
    entries: int = 0


@attrs.define
class SharingModel:
    """What should be so."""

    diaries: dict[int, ModelDiary] = attrs.field(factory=dict)

    def roles(self, agent: int, number: int) -> set[str]:
        """`owner`, `writer` or `reader`, or nothing."""
        diary = self.diaries.get(number)
        if diary is None:
            return set()
        if diary.owner == agent:
            return {"owner"}
        share = diary.shares.get(agent)
        return {share.role.value} if share and share.status is ShareStatus.ACCEPTED else set()

    def reads(self, agent: int, number: int) -> bool:
        """By a role or because the diary is open to members."""
        diary = self.diaries.get(number)
        return diary is not None and (diary.visibility is not Visibility.PRIVATE or bool(self.roles(agent, number)))

    def writes(self, agent: int, number: int) -> bool:
        """By a role alone."""
        return bool(self.roles(agent, number) & {"owner", "writer"})

    def owns(self, agent: int, number: int) -> bool:
        """By being its owner."""
        return "owner" in self.roles(agent, number)

    def share(self, agent: int, number: int) -> ModelShare | None:
        """The agent's invitation to a diary."""
        diary = self.diaries.get(number)
        return diary.shares.get(agent) if diary else None

    def owned(self, agent: int) -> set[int]:
        """The diaries of an agent."""
        return {number for number in self.diaries if self.owns(agent, number)}

    def related(self, agent: int) -> set[int]:
        """The diaries an agent has a role in."""
        return {number for number in self.diaries if self.roles(agent, number)}

    def invitations(self, agent: int) -> set[int]:
        """The diaries an agent is asked to and has not answered."""
        shares = {number: self.share(agent, number) for number in self.diaries}
        return {number for number, share in shares.items() if share and share.status is ShareStatus.PENDING}

    def open_shares(self, number: int) -> set[tuple[int, ShareRole, ShareStatus]]:
        """What an owner sees of the invitations to a diary."""
        shares = self.diaries[number].shares.items()
        return {(agent, each.role, each.status) for agent, each in shares if each.status.is_open}
