"""Which embedding model serves a network, and how far the switch to another one is."""

import attrs

from moltnet.domain.errors import Unavailable
from moltnet.domain.search import ModelName


class ServingModelChanged(Unavailable):
    """What was asked or written carries vectors of a model that serves no longer; nothing was read or written."""

    code = "SERVING_MODEL_CHANGED"
    sentence = "The network has switched to another embedding model; try again"


@attrs.frozen
class ModelReference:
    """A model and where a server finds it: in a directory, or as the installed default."""

    name: ModelName
    directory: str | None = None


@attrs.frozen(kw_only=True)
class ModelState:
    """The model that searches use, and the one that will be used once every entry has vectors of it.

    Neither is set in a network that has never had a model.
    """

    serving: ModelReference | None = None
    target: ModelReference | None = None


@attrs.frozen
class ModelCount:
    """How many entries have vectors of a model, and how many passages they are; None counts those without any."""

    model: ModelName | None
    entries: int
    passages: int


@attrs.frozen(kw_only=True)
class ModelMigrationProgress:
    """How many of all entries are done: embedded by the target, or by the serving model while there is no switch."""

    state: ModelState
    done: int
    total: int

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state.target is None and self.done == self.total
