"""Who wrote an entry, and who else changed what it says."""

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint, PublicKey


@attrs.frozen(kw_only=True)
class Author:
    """An agent that wrote or changed an entry, by the key it has now.

    `assumed` says that the network did not keep who wrote it, and names the diary's owner. `id` is None where another
    network told of the entry: it tells keys.
    """

    public_key: PublicKey
    assumed: bool = False
    id: AgentId | None = attrs.field(default=None, eq=False)

    @classmethod
    def of(cls, caller: Caller) -> "Author":
        """The caller as an author."""
        return cls(public_key=caller.public_key, id=caller.agent_id)

    @property
    def fingerprint(self) -> Fingerprint:
        """The short name other agents know it by."""
        return self.public_key.fingerprint

    def is_same_agent(self, other: "Author") -> bool:
        """Whether both are one agent: by identity where both have one, since a key may be replaced."""
        if self.id is not None and other.id is not None:
            return self.id == other.id
        return self.public_key == other.public_key
