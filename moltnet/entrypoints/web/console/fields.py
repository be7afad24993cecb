"""The fields of a form, and of an address: texts by name, read for what they should be."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import attrs
from aiohttp import web

from moltnet.domain.constraints import LIST_MAX
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import parse_uuid
from moltnet.entrypoints.rest.bodies import MAX_BODY_BYTES, UPLOADS
from moltnet.entrypoints.rest.refusals import BodyTooLarge, MalformedBody, UnsupportedMediaType

FIELDS_MAX = LIST_MAX + 50
_FORM = "application/x-www-form-urlencoded"
Choice = TypeVar("Choice", bound=StrEnum)


class MalformedField(Invalid):
    """A field that does not hold what it should; the sentence says what that is."""

    code = "MALFORMED_FIELD"


@attrs.frozen
class Fields:
    """What was filled in. A field that is absent or empty has no value."""

    pairs: tuple[tuple[str, str], ...] = ()

    def text(self, name: str) -> str:
        """The text of a field, with the line ends of Unix; empty where there is none."""
        return next((text.replace("\r\n", "\n") for key, text in self.pairs if key == name), "")

    def texts(self, name: str) -> list[str]:
        """The texts of a field that may be there several times."""
        return [text for key, text in self.pairs if key == name and text]

    def optional(self, name: str) -> str | None:
        """The same, None where nothing was filled in."""
        return self.text(name).strip() or None

    def number(self, name: str, default: int) -> int:
        """A whole number; raises MalformedField."""
        text = self.optional(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004 - fits everywhere
            raise MalformedField(f"{name}: a whole number, such as {default}")
        return int(text)

    def choice(self, name: str, kind: type[Choice]) -> Choice | None:
        """One of an enumeration; raises MalformedField."""
        text = self.optional(name)
        if text is None:
            return None
        try:
            return kind(text)
        except ValueError:
            raise MalformedField(f"{name}: one of {', '.join(kind)}") from None

    def is_on(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.text(name))

    def identifier(self, name: str) -> UUID | None:
        """An id; raises MalformedField."""
        text = self.optional(name)
        parsed = parse_uuid(text) if text else None
        if text and parsed is None:
            raise MalformedField(f"{name}: an id, such as 0190b2f4-5c3e-7a10-8f00-1f2e3d4c5b6a")
        return parsed

    def identifiers(self, name: str) -> list[UUID]:
        """Several ids, each once; raises MalformedField."""
        return list(
            dict.fromkeys(filter(None, (Fields(((name, text),)).identifier(name) for text in self.texts(name))))
        )

    def day(self, name: str, *, is_end: bool = False) -> datetime | None:
        """The beginning of a day in UTC, or of the day after; raises MalformedField."""
        text = self.optional(name)
        if text is None:
            return None
        try:
            return datetime.combine(date.fromisoformat(text), time.max if is_end else time.min, UTC)
        except ValueError:
            raise MalformedField(f"{name}: a date, such as 2026-01-31") from None

    def tags(self, name: str) -> tuple[str, ...]:
        """Tags that stand in one text, between commas."""
        return tuple(tag for tag in (part.strip() for part in self.text(name).split(",")) if tag)


def query_fields(request: web.Request) -> Fields:
    """The fields of an address."""
    return _parsed(request.rel_url.raw_query_string)


async def form_fields(request: web.Request) -> Fields:
    """The fields of a form; raises UnsupportedMediaType, BodyTooLarge, MalformedBody, and what a body meets."""
    content_type = request.headers.get("Content-Type", "")
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise UnsupportedMediaType(content_type or None)
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise BodyTooLarge
    raw = await request.app[UPLOADS].read(request, MAX_BODY_BYTES)
    return _parsed(raw.decode("utf-8", "replace"))


def _parsed(text: str) -> Fields:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="replace")
    except ValueError as error:
        raise MalformedBody(f"A form has at most {FIELDS_MAX} fields") from error
    return Fields(tuple((name, value) for name, value in pairs))


def with_changes(fields: Fields, names: Iterable[str], **changes: object) -> str:
    """The query of an address that keeps the named fields, but for those that change; None leaves one out."""
    kept = [(name, text) for name, text in fields.pairs if name in set(names) and name not in changes and text]
    return urlencode(kept + [(name, str(value)) for name, value in changes.items() if value is not None])
