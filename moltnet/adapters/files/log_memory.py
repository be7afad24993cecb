"""What a client has seen of the logs of its networks: one file beside the credentials, with a member for each."""

import json
from pathlib import Path

import attrs

from moltnet.adapters.files.paths import alone_in, read_text, to_json, write_atomically
from moltnet.domain.checkpoints import KnownLog, MalformedCheckpoint


@attrs.frozen
class FileLogMemory:
    """The port `LogMemory`, for the network at one address."""

    credentials: Path
    url: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.credentials.with_suffix(".checkpoints.json")

    def read(self) -> KnownLog | None:
        text = self._texts().get(self.url)
        return None if text is None else KnownLog.parse(text)

    def keep(self, known: KnownLog) -> None:
        with alone_in(self.path.parent):
            texts = self._texts()
            stored = KnownLog.parse(texts[self.url]) if self.url in texts else None
            # Another process may have seen more of it meanwhile.
            if stored is None or stored.key != known.key or stored.checkpoint.size <= known.checkpoint.size:
                write_atomically(self.path, to_json({**texts, self.url: known.text}))

    def forget(self) -> None:
        with alone_in(self.path.parent):
            texts = self._texts()
            if texts.pop(self.url, None) is not None:
                write_atomically(self.path, to_json(texts))

    def _texts(self) -> dict[str, str]:
        text = read_text(self.path)
        try:
            found = {} if text is None else json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            raise MalformedCheckpoint(f"{self.path} is no file of checkpoints: restore it, or move it away")
        return found
