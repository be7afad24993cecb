"""A witness of logs over files: its key, and what it signed last. Nothing of a server is imported."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from moltnet.adapters.files.log_memory import FileWitnessMemory
from moltnet.adapters.files.paths import read_text, write_atomically
from moltnet.adapters.nacl import NaclSignatures
from moltnet.adapters.system import SystemClock
from moltnet.domain.checkpoints import Checkpoint, VerifierKey
from moltnet.domain.services.witness import WitnessService
from moltnet.entrypoints.container.remote import key_pair_of, new_key_pair
from moltnet.ports.keys import KeyPair

KEY_FILE = "witness.key"


@attrs.frozen
class WitnessFiles:
    """A folder of a witness's own."""

    folder: Path

    def service(self, name: str, logs: Mapping[str, VerifierKey]) -> WitnessService:
        """The witness; its key is made the first time. Raises UnreadablePrivateKey."""
        memory = FileWitnessMemory(self.folder)
        return WitnessService(name, self._keys(), logs, memory, NaclSignatures(), SystemClock())

    def last(self, origin_hash: str) -> Checkpoint | None:
        """What it signed last of a log, by the SHA-256 of the log's name."""
        return FileWitnessMemory(self.folder).of(origin_hash).read()

    def _keys(self) -> KeyPair:
        path = self.folder / KEY_FILE
        text = read_text(path)
        if text is not None:
            return key_pair_of(text.strip())
        keys = new_key_pair()
        write_atomically(path, f"{keys.seed_text}\n")
        return keys
