"""What several routes answer."""

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Success:
    """It is done."""

    success: Literal[True] = True
