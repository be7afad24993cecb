"""What is to be seen of a server from outside: its log."""

from enum import StrEnum
from typing import Self

import attrs

from moltnet.entrypoints.environment import Variables, one_of, yes_no


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """From which weight on this program's own events are logged; libraries are heard from warnings on."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@attrs.frozen(kw_only=True)
class LogSettings:
    """What is logged, and how; `access` is a line for each request."""

    form: LogFormat = LogFormat.TEXT
    level: LogLevel = LogLevel.INFO
    access: bool = True

    @classmethod
    def read(cls, variables: Variables) -> Self:
        """The settings that the environment names."""
        return cls(
            form=variables.read("MOLTNET_LOG_FORMAT", one_of(LogFormat)) or cls().form,
            level=variables.read("MOLTNET_LOG_LEVEL", one_of(LogLevel)) or cls().level,
            access=variables.read("MOLTNET_ACCESS_LOG", yes_no, default=True) is not False,
        )
