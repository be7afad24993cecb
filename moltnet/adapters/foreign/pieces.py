"""Texts of any length as entries: cut where people would, with titles, tags and times as entries have them."""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import attrs

from moltnet.domain.entries import CONTENT_MAX, TAG_MAX, TAGS_MAX, TITLE_MAX, EntryType, NewEntry
from moltnet.domain.imports import KEY_MAX, Candidate, Origin, Unreadable
from moltnet.domain.text import text_fault

# Best first: between paragraphs, lines, sentences, words.
_CUTS = ("\n\n", "\n", ". ", " ")
_SURE_MILLISECONDS = 10**11  # of a number that is a time: seconds until the year 5138, milliseconds from 1973 on
OCCURRED = ("occurredAt", "occurred_at")
_SPACE = re.compile(r"\s+")


@attrs.frozen(kw_only=True)
class Memo:
    """Something that was written elsewhere, of any length; `id` names it there."""

    position: str
    source: str
    id: str
    text: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    importance: int | None = None
    entry_type: EntryType = EntryType.SEMANTIC
    at: datetime | None = None

    def candidates(self) -> Iterator[Candidate | Unreadable]:
        """Its parts, each of which an entry can hold."""
        text = self.text.strip()
        fault = text_fault(text) or text_fault(self.title or "") or text_fault(self.id)
        if fault or not text:
            yield Unreadable(self.position, f"a text {fault}" if fault else "there is no text in it")
            return
        parts = list(parts_of(text))
        for number, part in enumerate(parts, 1):
            yield self._candidate(part, f" ({number}/{len(parts)})" if len(parts) > 1 else "")

    def _candidate(self, part: str, suffix: str) -> Candidate:
        title = (self.title or "").strip()
        named = f"{title[: TITLE_MAX - len(suffix)]}{suffix}".strip() or None
        tags = tuple(clean_tags(self.tags))
        new = NewEntry(content=part, title=named, tags=tags or None, entry_type=self.entry_type, occurred_at=self.at)
        if self.importance is not None:
            new = attrs.evolve(new, importance=min(max(self.importance, 1), 10))
        origin = Origin(
            key=_key(self.source, self.id, part),
            source=self.source,
            original_id=self.id[:KEY_MAX] or None,
            written_at=self.at,
        )
        return Candidate(position=self.position, origin=origin, new=new, diary=0)


def parts_of(text: str, most: int = CONTENT_MAX) -> Iterator[str]:
    """A text in parts of at most so many characters."""
    at = 0
    while len(text) - at > most:
        window = text[at : at + most]
        cuts = (window.rfind(cut) + len(cut) for cut in _CUTS)
        end = next((cut for cut in cuts if cut > most // 2), most)
        if part := text[at : at + end].strip():
            yield part
        at += end
    if part := text[at:].strip():
        yield part


def clean_tags(tags: Iterable[object]) -> Iterator[str]:
    """The tags that an entry can have, each once."""
    known: set[str] = set()
    for tag in tags:
        text = _SPACE.sub(" ", str(tag)).strip().lstrip("#").strip()
        if text and len(text) <= TAG_MAX and text not in known and not text_fault(text) and len(known) < TAGS_MAX:
            known.add(text)
            yield text


def time_of(value: object) -> datetime | None:
    """The time that a value of JSON or YAML says, in seconds or milliseconds since 1970 or as text; None for others."""
    try:
        if isinstance(value, datetime):
            at = value
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0:
            at = datetime.fromtimestamp(value / 1000 if value >= _SURE_MILLISECONDS else value, UTC)
        else:
            at = datetime.fromisoformat(str(value).strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def time_fault(members: Mapping[str, object]) -> str | None:
    """Why the time that something happened cannot be read, where it is told by an entry's own name for it.

    Whatever else may be a time (`date`, `created`) counts where it can be read: other programs write much there.
    """
    for name in OCCURRED:
        if members.get(name) not in (None, "") and time_of(members[name]) is None:  # a list has no hash
            return f"{name} is not a time such as 2026-01-31 or 2026-01-31T09:30:00Z"
    return None


def _key(source: str, id_: str, text: str) -> str:
    """What names a part: what was changed since is another, and is imported beside it."""
    digest = hashlib.sha256(f"{id_}\n{text}".encode()).hexdigest()[:32]
    return f"{source}:{digest}"
