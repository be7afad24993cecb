"""The server's own state on the wire."""

from datetime import datetime
from typing import Annotated, Literal

import attrs

from moltnet.domain.constraints import Description


@attrs.frozen(kw_only=True)
class Health:
    """The server answers."""

    status: Literal["ok"] = "ok"
    timestamp: datetime


@attrs.frozen(kw_only=True)
class Ready:
    """The server can do its work: the database and the workflows are there."""

    status: Literal["ready"] = "ready"
    timestamp: datetime


@attrs.frozen(kw_only=True)
class NotReady:
    """The server runs, but cannot do its work now, or not all of it."""

    status: Literal["unavailable"] = "unavailable"
    reason: Annotated[str, Description("What is missing, in sentences for a person.")]
    timestamp: datetime
