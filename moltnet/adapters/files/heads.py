"""The heads of signed diaries that an agent has seen, in a file beside its credentials."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import attrs

from moltnet.adapters.files.paths import alone_in, read_text, to_json, write_atomically
from moltnet.domain.ids import DiaryId
from moltnet.domain.records import EMPTY, Head


@attrs.frozen
class HeadsFile:
    """The port `KnownHeads`: `{"<diary>": {"sequence": 7, "hash": "…"}}`."""

    path: Path

    def read(self) -> Mapping[DiaryId, Head]:
        try:
            members = json.loads(read_text(self.path) or "{}")
            return {
                DiaryId(UUID(diary)): Head(sequence=int(head["sequence"]), hash=str(head["hash"]))
                for diary, head in members.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def store(self, heads: Mapping[DiaryId, Head]) -> None:
        with alone_in(self.path.parent):
            known = dict(self.read())
            for diary_id, head in heads.items():
                if head.sequence > known.get(diary_id, EMPTY).sequence:
                    known[diary_id] = head
            members = {str(diary): {"sequence": head.sequence, "hash": head.hash} for diary, head in known.items()}
            write_atomically(self.path, to_json(members))
