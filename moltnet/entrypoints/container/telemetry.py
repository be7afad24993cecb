"""Telemetry by its settings, and ports that tell of what passes through them; wired only where it is on."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import attrs

from moltnet.domain.caller import UNLIMITED, Allowance, Quota, QuotaExceeded, Usage
from moltnet.domain.services import Services
from moltnet.entrypoints.environment import SettingsInvalid
from moltnet.entrypoints.observability import TelemetrySettings
from moltnet.ports.models import NetworkSizes, NetworkUsage
from moltnet.ports.requests import RateLimits
from moltnet.ports.telemetry import (
    AGENTS,
    CONTENT_SIZE,
    DATABASE_SIZE,
    DESCRIPTORS,
    DIARIES,
    ENTRIES,
    MEMORY,
    NO_TELEMETRY,
    QUOTA_LARGEST,
    QUOTA_LIMIT,
    QUOTA_REFUSED,
    RATE_LIMITED,
    READY,
    SEARCHES,
    UNDELIVERED,
    WORKFLOWS,
    Attributes,
    Metric,
    Sample,
    Telemetry,
)
from moltnet.ports.workflows import Json, JsonObject, Steps, WorkflowBody, Workflows

_log = logging.getLogger(__name__)

COUNTED_EVERY_S = 30.0
# A member of a workflow's argument that its body is not given: the trace that began it.
TRACE = "trace"
# The services whose methods are use cases of a request; the others act on their own, or for every request alike.
USE_CASES = (
    *("audit", "authentication", "credentials", "diaries", "directory", "entries", "feed"),
    *("hooks", "records", "recovery", "registration", "search", "sharing", "signing", "vouching", "web_sessions"),
)


@contextmanager
def telemetry_of(settings: TelemetrySettings) -> Iterator[Telemetry]:
    """What the settings ask for, until the context is left. Raises SettingsInvalid without its packages."""
    if not settings.is_on:
        yield NO_TELEMETRY
        return
    try:
        from moltnet.adapters.otel.providers import opened_telemetry  # noqa: PLC0415  # in an extra of its own
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            [f"OTEL_…: telemetry needs the package {error.name}: pip install 'moltnet[otel]', or unset them"]
        ) from error
    with opened_telemetry(
        traces=settings.sends("TRACES"),
        metrics=settings.sends("METRICS"),
        prometheus=settings.serves_prometheus,
        logs=settings.sends("LOGS"),
        variables=settings.variables,
    ) as telemetry:
        yield telemetry


class TracedUseCases:
    """A service whose coroutine methods are spans; everything else of it is as it is."""

    def __init__(self, service: object, name: str, telemetry: Telemetry) -> None:
        self._service, self._name, self._telemetry = service, name, telemetry

    def __getattr__(self, name: str) -> Any:
        """A member of the service; a method once it was asked for is found without this."""
        member = getattr(self._service, name)
        if not inspect.iscoroutinefunction(member):
            return member
        span, attributes_of = f"{self._name}.{name}", _SEARCH_ATTRIBUTES.get((self._name, name))

        async def traced(*args: object, **named: object) -> object:
            with self._telemetry.span(span):
                try:
                    result = await member(*args, **named)
                except QuotaExceeded as refused:
                    self._telemetry.count(QUOTA_REFUSED, {"quota": refused.unit})
                    raise
                if attributes_of is not None:
                    self._telemetry.count(SEARCHES, attributes_of(result))
                return result

        self.__dict__[name] = traced
        return traced


def _of_diary_search(result: Any) -> Attributes:
    return {"kind": "diary", "type": str(result.search_type), "confident": str(result.confident).lower()}


def _of_public_search(_: object) -> Attributes:
    return {"kind": "public"}


_SEARCH_ATTRIBUTES: Mapping[tuple[str, str], Callable[[object], Attributes]] = MappingProxyType(
    {("search", "search"): _of_diary_search, ("feed", "search"): _of_public_search}
)


def traced_services(services: Services, telemetry: Telemetry) -> Services:
    """The services with their use cases as spans."""
    names = USE_CASES if telemetry.is_on else ()
    traced = {name: TracedUseCases(getattr(services, name), name, telemetry) for name in names}
    return attrs.evolve(services, telemetry=telemetry, **cast("dict[str, Any]", traced))


@attrs.frozen
class CountedRateLimits:
    """Rate limits that tell of what they refuse."""

    limits: RateLimits
    telemetry: Telemetry

    @classmethod
    def of(cls, limits: RateLimits, telemetry: Telemetry) -> RateLimits:
        """The limits, wrapped if anybody listens."""
        return cls(limits, telemetry) if telemetry.is_on else limits

    async def hit(self, bucket: str, key: str, per_minute: int, cost: int = 1) -> Allowance:
        allowance = await self.limits.hit(bucket, key, per_minute, cost)
        if not allowance.allowed:
            self.telemetry.count(RATE_LIMITED, {"bucket": bucket})
        return allowance

    async def forget_ended(self) -> int:
        return await self.limits.forget_ended()


@attrs.frozen
class TracedWorkflows:
    """Workflows that carry the trace of what began them to the process that runs them."""

    workflows: Workflows
    telemetry: Telemetry

    @classmethod
    def of(cls, workflows: Workflows, telemetry: Telemetry) -> Workflows:
        """The workflows, wrapped if anybody listens."""
        return cls(workflows, telemetry) if telemetry.is_on else workflows

    async def start(self, name: str, workflow_id: str, argument: JsonObject) -> bool:
        with self.telemetry.span(f"start {name}"):
            carrier: JsonObject = {**self.telemetry.carrier()}
            return await self.workflows.start(name, workflow_id, {**argument, TRACE: dict(carrier)})

    async def result(self, workflow_id: str, within_s: float | None = None) -> Json:
        with self.telemetry.span("wait for workflow"):
            return await self.workflows.result(workflow_id, within_s)

    async def send(self, workflow_id: str, topic: str, message: JsonObject) -> None:
        with self.telemetry.span("send to workflow"):
            await self.workflows.send(workflow_id, topic, message)

    async def check(self) -> None:
        await self.workflows.check()

    async def forget_ended(self, before: datetime, limit: int) -> int:
        return await self.workflows.forget_ended(before, limit)

    async def counts(self) -> Mapping[str, int]:
        return await self.workflows.counts()


@attrs.frozen
class _TracedSteps:
    """Steps that are spans when they are carried out, not when their outcome is remembered."""

    steps: Steps
    telemetry: Telemetry

    @property
    def workflow_id(self) -> str:
        return self.steps.workflow_id

    async def step(self, name: str, action: Callable[[], Awaitable[Json]], attempts: int = 1) -> Json:
        async def traced() -> Json:
            with self.telemetry.span(f"step {name}"):
                return await action()

        return await self.steps.step(name, traced, attempts)

    async def receive(self, topic: str, timeout_s: float) -> JsonObject | None:
        return await self.steps.receive(topic, timeout_s)


def traced_bodies(bodies: Mapping[str, WorkflowBody], telemetry: Telemetry) -> Mapping[str, WorkflowBody]:
    """The bodies without the trace in their arguments; where anybody listens, as spans in that trace."""
    return {name: _traced_body(name, body, telemetry) for name, body in bodies.items()}


def _traced_body(name: str, body: WorkflowBody, telemetry: Telemetry) -> WorkflowBody:
    async def run(steps: Steps, argument: JsonObject) -> Json:
        carrier, own = argument.get(TRACE), {key: value for key, value in argument.items() if key != TRACE}
        if not telemetry.is_on:
            return await body(steps, own)
        headers = {key: str(value) for key, value in carrier.items()} if isinstance(carrier, dict) else {}
        with telemetry.continued(headers, f"workflow {name}"):
            return await body(_TracedSteps(steps, telemetry), own)

    return run


class NetworkGauges:
    """What is stored, counted now and then, and this process as the system sees it."""

    def __init__(self, services: Services, workflows: Workflows, quota: Quota = UNLIMITED) -> None:
        self._services, self._workflows = services, workflows
        self._usage: NetworkUsage | None = None
        self._sizes: NetworkSizes | None = None
        self._counts: Mapping[str, int] = {}
        telemetry = services.telemetry
        for metric, name in _SIZES.items():
            telemetry.observe(metric, lambda name=name: self._size(name))  # type: ignore[misc]  # its default
        telemetry.observe(WORKFLOWS, lambda: [({"state": state}, count) for state, count in self._counts.items()])
        telemetry.observe(CONTENT_SIZE, lambda: [({}, self._usage.total.bytes)] if self._usage else [])
        telemetry.observe(QUOTA_LIMIT, lambda: _by_quota(quota, quota))
        telemetry.observe(QUOTA_LARGEST, lambda: _by_quota(quota, self._usage.largest) if self._usage else [])
        telemetry.observe(READY, self._ready)
        telemetry.observe(MEMORY, lambda: [({}, _resident_bytes())])
        telemetry.observe(DESCRIPTORS, lambda: [({}, len(list(Path("/proc/self/fd").iterdir())))])

    async def count(self) -> None:
        """Counts; what fails is logged and counted again next time."""
        try:
            self._sizes = (await self._services.statistics.state()).sizes
            self._counts = await self._workflows.counts()
            self._usage = await self._services.statistics.usage()
        except Exception:  # noqa: BLE001  # logged; what was counted last stands
            _log.exception("the network was not counted")

    def _size(self, name: str) -> Iterable[Sample]:
        size = getattr(self._sizes, name, None)
        return [] if size is None else [({}, size)]

    def _ready(self) -> Iterable[Sample]:
        parts = self._services.readiness.now().parts
        return [({"part": part}, 0 if reason else 1) for part, reason in parts.items()]


def _by_quota(quota: Quota, amounts: Quota | Usage) -> list[Sample]:
    """What is counted of each, for those quotas that are set."""
    limited = {"entries": (quota.entries, amounts.entries), "bytes": (quota.bytes, amounts.bytes)}
    return [
        ({"quota": name}, amount)
        for name, (limit, amount) in limited.items()
        if limit is not None and amount is not None
    ]


_SIZES: Mapping[Metric, str] = MappingProxyType(
    {
        AGENTS: "agents",
        DIARIES: "diaries",
        ENTRIES: "entries",
        UNDELIVERED: "undelivered_messages",
        DATABASE_SIZE: "database_bytes",
    }
)


def _resident_bytes() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
