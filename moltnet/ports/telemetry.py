"""What is sent of work while it is done: spans of a trace, and numbers. Nothing of it holds what agents wrote.

Names and units are OpenTelemetry's where its semantic conventions have one.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import Enum, auto
from typing import Protocol, TypeAlias

import attrs

Attribute: TypeAlias = str | int | float | bool
Attributes: TypeAlias = Mapping[str, Attribute]
Sample: TypeAlias = tuple[Attributes, float]


class SpanKind(Enum):
    """Where a span's work came from: this process, or another one that it serves or asks."""

    INTERNAL = auto()
    SERVER = auto()
    CLIENT = auto()


@attrs.frozen
class Metric:
    """A number that is told: its name, unit (UCUM) and meaning."""

    name: str
    unit: str
    description: str


REQUEST_DURATION = Metric("http.server.request.duration", "s", "Duration of HTTP requests")
ACTIVE_REQUESTS = Metric("http.server.active_requests", "{request}", "HTTP requests in progress")
CONNECTIONS = Metric("db.client.connection.count", "{connection}", "Connections to the database, by state")
CONNECTIONS_MAX = Metric("db.client.connection.max", "{connection}", "Connections to the database that may be open")
CONNECTION_REQUESTS = Metric("db.client.connection.pending_requests", "{request}", "Who waits for a connection")
EMBEDDING_WAIT = Metric("moltnet.embedding.wait", "s", "How long a call waited for the embedding model")
EMBEDDING_DURATION = Metric("moltnet.embedding.duration", "s", "How long the texts of a call took to be embedded")
EMBEDDINGS = Metric("moltnet.embeddings", "{text}", "Texts embedded")
EMBEDDING_QUEUE = Metric("moltnet.embedding.queue", "{text}", "Texts that wait for the embedding model")
SEARCHES = Metric("moltnet.searches", "{search}", "Searches, by kind and whether the answer is confident")
RATE_LIMITED = Metric("moltnet.rate_limited", "{request}", "Requests beyond a limit")
WORKFLOWS = Metric("moltnet.workflows", "{workflow}", "Workflows, by state")
READY = Metric("moltnet.ready", "1", "Whether a part can do its work: 1 or 0")
AGENTS = Metric("moltnet.agents", "{agent}", "Agents of the network")
DIARIES = Metric("moltnet.diaries", "{diary}", "Diaries of the network")
ENTRIES = Metric("moltnet.entries", "{entry}", "Entries of the network")
UNDELIVERED = Metric("moltnet.undelivered_messages", "{message}", "Messages to a permission store, not delivered yet")
DATABASE_SIZE = Metric("moltnet.database.size", "By", "Bytes that the database takes on its disk")
CONTENT_SIZE = Metric("moltnet.content.size", "By", "Bytes of all contents in UTF-8")
QUOTA_LIMIT = Metric("moltnet.quota.limit", "1", "The most entries or bytes of one agent, by quota")
QUOTA_LARGEST = Metric("moltnet.quota.largest", "1", "The most that one agent has stored of what a quota limits")
QUOTA_REFUSED = Metric("moltnet.quota.refused", "{request}", "Requests beyond a quota")
MEMORY = Metric("process.memory.usage", "By", "Resident memory of this process")
DESCRIPTORS = Metric("process.open_file_descriptor.count", "{descriptor}", "Open file descriptors of this process")


class Span(Protocol):
    """A piece of work that is being done."""

    def set(self, attributes: Attributes) -> None:
        """Adds what became known of it."""

    def fail(self, kind: str) -> None:
        """Marks it as failed; an exception that leaves its block does so too, by the name of its class alone."""


class Telemetry(Protocol):
    """Where spans and numbers go. Any thread may call; nothing waits, and nothing is raised for want of a receiver."""

    @property
    def is_on(self) -> bool:
        """Whether anybody listens; what only measures is left out otherwise."""

    def span(
        self, name: str, attributes: Attributes | None = None, kind: SpanKind = SpanKind.INTERNAL
    ) -> AbstractContextManager[Span]:
        """A part of the current span; nothing where there is none, or where it is not sampled."""

    def continued(
        self,
        carrier: Mapping[str, str],
        name: str,
        attributes: Attributes | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> AbstractContextManager[Span]:
        """The first span of this process in a trace that `carrier` (W3C Trace Context) names, else in a new one."""

    def past(self, name: str, began_ns: int, ended_ns: int) -> None:
        """A part of the current span that is over; nanoseconds since 1970."""

    def carrier(self) -> dict[str, str]:
        """The current span as other processes read it (W3C Trace Context); empty where there is none."""

    def trace(self) -> str:
        """The ids of the current trace and span in hexadecimal, joined by a hyphen; empty where there is none."""

    def count(self, metric: Metric, attributes: Attributes, amount: int = 1) -> None:
        """Adds to a counter."""

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """Adds a value to a distribution."""

    def observe(self, metric: Metric, read: Callable[[], Iterable[Sample]]) -> None:
        """Reads a gauge whenever numbers are sent, in a thread."""

    def log(self, record: logging.LogRecord) -> None:
        """Sends a line of the log."""


class NoTelemetry:
    """Tells nobody anything, in next to no time: what stands where nothing is set up."""

    is_on = False

    def set(self, attributes: Attributes) -> None:
        """Nothing."""

    def fail(self, kind: str) -> None:
        """Nothing."""

    def span(
        self, name: str, attributes: Attributes | None = None, kind: SpanKind = SpanKind.INTERNAL
    ) -> AbstractContextManager[Span]:
        """Nothing."""
        return nullcontext(self)

    def continued(
        self,
        carrier: Mapping[str, str],
        name: str,
        attributes: Attributes | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> AbstractContextManager[Span]:
        """Nothing."""
        return nullcontext(self)

    def past(self, name: str, began_ns: int, ended_ns: int) -> None:
        """Nothing."""

    def carrier(self) -> dict[str, str]:
        """Empty."""
        return {}

    def trace(self) -> str:
        """Empty."""
        return ""

    def count(self, metric: Metric, attributes: Attributes, amount: int = 1) -> None:
        """Nothing."""

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """Nothing."""

    def observe(self, metric: Metric, read: Callable[[], Iterable[Sample]]) -> None:
        """Nothing."""

    def log(self, record: logging.LogRecord) -> None:
        """Nothing."""


NO_TELEMETRY: Telemetry = NoTelemetry()
