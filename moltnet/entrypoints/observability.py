"""What is to be seen of a server from outside: its log, traces and metrics."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
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


_PREFIX = "OTEL_"
_EXPORTERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "TRACES": frozenset({"otlp", "none"}),
        "METRICS": frozenset({"otlp", "prometheus", "none"}),
        "LOGS": frozenset({"otlp", "none"}),
    }
)


@attrs.frozen(kw_only=True)
class TelemetrySettings:
    """What is sent of traces, metrics and logs; `variables` are those of OpenTelemetry's specification, as set.

    A signal is sent where an address for it is set, or one for all. Numbers are served to Prometheus where it is named.
    """

    variables: Mapping[str, str] = attrs.field(factory=dict, repr=False, hash=False)

    @classmethod
    def read(cls, variables: Variables) -> Self:
        """The settings that the environment names; exporters that there are not are problems."""
        read = cls(variables=variables.beginning_with(_PREFIX))
        for signal, known in _EXPORTERS.items():
            for name in read._exporters(signal) - known:
                words = ", ".join(sorted(known))
                variables.problems.append(f"OTEL_{signal}_EXPORTER: must be one or more of {words}, not {name!r}")
            for variable in ("OTEL_EXPORTER_OTLP_PROTOCOL", f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL"):
                protocol = read.variables.get(variable, "http/protobuf")
                problem = f"{variable}: must be http/protobuf, not {protocol!r}"
                if protocol != "http/protobuf" and problem not in variables.problems:
                    variables.problems.append(problem)
        return read

    @property
    def is_on(self) -> bool:
        """Whether anything is sent or served."""
        return self.serves_prometheus or any(map(self.sends, _EXPORTERS))

    @property
    def serves_prometheus(self) -> bool:
        """Whether numbers are served to Prometheus."""
        return not self._is_disabled and "prometheus" in self._exporters("METRICS")

    def sends(self, signal: str) -> bool:
        """Whether TRACES, METRICS or LOGS are sent by OTLP."""
        return not self._is_disabled and "otlp" in self._exporters(signal)

    @property
    def _is_disabled(self) -> bool:
        return self.variables.get("OTEL_SDK_DISABLED", "").lower() == "true"

    def _exporters(self, signal: str) -> frozenset[str]:
        addresses = (f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
        default = "otlp" if any(name in self.variables for name in addresses) else "none"
        named = self.variables.get(f"OTEL_{signal}_EXPORTER", default)
        return frozenset(name.strip().lower() for name in named.split(",") if name.strip())
