"""The server's own state on the wire."""

from datetime import datetime
from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Health:
    """The server answers."""

    status: Literal["ok"] = "ok"
    timestamp: datetime
