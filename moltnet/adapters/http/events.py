"""Server-sent events as they come in, whatever pieces they come in (WHATWG HTML §9.2.6)."""

import re
from collections.abc import Iterator

import attrs

_LINE_END = re.compile(rb"\r\n|\n|\r(?!$)")  # a piece may end between the two


@attrs.frozen
class ServerSentEvent:
    """One event; `id` is the last that was told, which stays good for events without one."""

    id: str
    name: str
    data: str


class EventReader:
    """Reads the bytes of one stream. `retry_s` is how long to wait before coming back, once the stream tells it."""

    def __init__(self, last_id: str) -> None:
        self.last_id = last_id
        self.retry_s: float | None = None
        self._pending = b""
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """The events that a piece completes."""
        *lines, self._pending = _LINE_END.split(self._pending + piece)
        for line in lines:
            if line:
                self._take(line.decode("utf-8", "replace"))
            elif self._data:
                yield ServerSentEvent(self.last_id, self._name or "message", "\n".join(self._data))
                self._name, self._data = "", []
            else:
                self._name = ""

    def _take(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self.last_id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry_s = int(value) / 1000
