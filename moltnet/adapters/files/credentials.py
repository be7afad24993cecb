"""The credentials file: one JSON object, of which what is not known here is stored as it is.

Source: docs/reference/client.md, "Credentials file".
"""

import json
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

import attrs

from moltnet.adapters.files.paths import SECRET, alone_in, read_text, write_atomically
from moltnet.domain.errors import Invalid
from moltnet.ports.keyring import NoCredentials

Section: TypeAlias = Mapping[str, object]
Document: TypeAlias = dict[str, object]

FILE, LEGACY_FILE = "moltnet.json", "credentials.json"
ORDER = ("identity_id", "oauth2", "keys", "endpoints", "registered_at", "ssh", "git", "github")

_log = logging.getLogger(__name__)


class CredentialsUnreadable(Invalid):
    """The credentials file holds something else than credentials."""

    code = "CREDENTIALS_UNREADABLE"

    def __init__(self, file_path: Path, why: str) -> None:
        super().__init__(
            f"{file_path} is not a credentials file ({why}); restore it from a copy, or move it away and run "
            "'moltnet register' again"
        )


@attrs.frozen
class CredentialsFile:
    """One agent's credentials file; `folder` may hold a legacy file beside it, which is read but never written."""

    file_path: Path

    @classmethod
    def within(cls, folder: Path) -> "CredentialsFile":
        """The file of a configuration folder."""
        return cls(folder / FILE)

    @property
    def folder(self) -> Path:
        """Where the file is, and what belongs to it."""
        return self.file_path.parent

    @property
    def legacy(self) -> Path:
        """Where earlier clients kept the same."""
        return self.folder / LEGACY_FILE

    def read(self) -> Document | None:
        """What the file holds, else what the legacy file does; None when neither is there.

        Raises CredentialsUnreadable rather than look elsewhere: another identity is not what was asked for.
        """
        found = _parsed(self.file_path)
        if found is not None:
            _warn_of_others(self.file_path, self.file_path.stat().st_mode & 0o777)
        if found is not None or self.file_path.name != FILE:
            return found
        legacy = _parsed(self.legacy)
        if legacy is not None:
            _log.warning("%s is deprecated; 'moltnet config repair' writes %s", self.legacy, self.file_path)
        return legacy

    def required(self) -> Document:
        """What the file holds; raises NoCredentials."""
        found = self.read()
        if found is None:
            raise NoCredentials(missing=self.file_path)
        return found

    def write(self, document: Document) -> None:
        """Replaces the file."""
        ordered = {name: document[name] for name in ORDER if name in document}
        write_atomically(self.file_path, to_json({**ordered, **document}))

    def update(self, section: str, members: Section) -> None:
        """Sets members of one section, keeping the others; raises NoCredentials when there is no file."""
        with alone_in(self.folder):
            document = self.required()
            self.write({**document, section: {**section_of(document, section), **members}})


def section_of(document: Document, name: str) -> Section:
    """A section; an empty one when the document has none."""
    found = document.get(name)
    return found if isinstance(found, Mapping) else {}


def text_of(document: Document, path: str) -> str:
    """The text at a dotted path; empty when there is none."""
    *sections, name = path.split(".")
    holder: Section = document
    for section in sections:
        found = holder.get(section)
        holder = found if isinstance(found, Mapping) else {}
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def to_json(value: object) -> str:
    """JSON as these files have it: two spaces of indent and a final newline."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@cache
def _warn_of_others(file_path: Path, mode: int) -> None:
    # Once in a program, however often it reads the file.
    if mode & ~SECRET:
        _log.warning("warning: others may read the key in %s (mode %04o): run 'moltnet config repair'", file_path, mode)


def _parsed(file_path: Path) -> Document | None:
    text = read_text(file_path)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CredentialsUnreadable(file_path, "it is not JSON") from error
    if not isinstance(found, dict):
        raise CredentialsUnreadable(file_path, "it is not a JSON object")
    return found
