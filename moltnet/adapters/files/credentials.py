"""The credentials file, an agent's identity in it, and the key that is about to become one.

The file is one JSON object, of which what is not known here is stored as it is.

Source: docs/reference/client.md, "Credentials file".
"""

import base64
import binascii
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import attrs

from moltnet.adapters.files.other_programs import renew_mcp_document
from moltnet.adapters.files.paths import SECRET, alone_in, read_text, set_aside, to_json, write_atomically
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Conflict, Invalid
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import KEY_BYTES, MalformedKey, PublicKey
from moltnet.ports.keys import KeyPair, NoCredentials, OwnIdentity

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


class KeyWouldBeLost(Conflict):
    """Another agent's key stands where this one is to be stored."""

    code = "KEY_WOULD_BE_LOST"

    def __init__(self, file_path: Path) -> None:
        super().__init__(
            f"{file_path} already holds another key; use another profile, or --force, which keeps a copy of the file"
        )


@attrs.frozen(kw_only=True)
class FileKeyring:
    """The port `Keyring` over a credentials file, and the MCP configurations that repeat its secret.

    With `replacing`, another agent's file may be written over: a copy of it is stored beside it.
    """

    file: CredentialsFile
    configurations: tuple[Path, ...] = ()
    replacing: bool = False

    @property
    def _draft(self) -> Path:
        return self.file.file_path.with_name(f"{self.file.file_path.stem}.pending.json")

    @property
    def _next(self) -> Path:
        return self.file.file_path.with_name(f"{self.file.file_path.stem}.next-key.json")

    def read(self) -> OwnIdentity | None:
        """The identity in the file; raises CredentialsUnreadable for one that lacks a part."""
        document = self.file.read()
        return None if document is None else _identity(self.file.file_path, document)

    def prepared(self) -> str | None:
        return _seed_in(self._draft)

    def prepare(self, private_key: str) -> None:
        """Keeps the key beside the file; raises KeyWouldBeLost while another identity or key is there."""
        with alone_in(self.file.folder):
            if self.file.read() is not None and not self.replacing:
                raise KeyWouldBeLost(self.file.file_path)
            if self.prepared() not in {None, private_key}:
                raise KeyWouldBeLost(self._draft)
            write_atomically(self._draft, to_json({"keys": {"private_key": private_key}}))

    def keep(self, identity: OwnIdentity) -> None:
        """Writes the identity; what stood there of another key is set aside, or KeyWouldBeLost raised."""
        with alone_in(self.file.folder):
            before = self.file.read() or {}
            if before and text_of(before, "keys.private_key") != identity.private_key:
                self._back_up()
                before = {}
            self.file.write({**before, **identity_document(identity)})
            self._draft.unlink(missing_ok=True)

    def renew(self, credentials: ClientSecret) -> None:
        """Puts a fresh secret into the file and into each MCP configuration that has the former one."""
        with alone_in(self.file.folder):
            document = self.file.read()
            if document is None:
                raise NoCredentials
            self.file.write({**document, "oauth2": {**section_of(document, "oauth2"), **_oauth2(credentials)}})
        for configuration in self.configurations:
            renew_mcp_document(configuration, credentials)

    def next_key(self) -> str | None:
        return _seed_in(self._next)

    def prepare_next(self, private_key: str) -> None:
        """Keeps the key beside the file; raises NoCredentials without one, and KeyWouldBeLost for a third key."""
        with alone_in(self.file.folder):
            self.file.required()
            if self.next_key() not in {None, private_key}:
                raise KeyWouldBeLost(self._next)
            write_atomically(self._next, to_json({"keys": {"private_key": private_key}}))

    def replace_key(self, keys: KeyPair, credentials: ClientSecret) -> None:
        """Writes key and secret in one step; what was derived from the former key is left to its commands."""
        with alone_in(self.file.folder):
            document = self.file.required()
            fresh = {
                "public_key": keys.public_key.text,
                "private_key": keys.seed_text,
                "fingerprint": str(keys.public_key.fingerprint),
            }
            oauth2 = {**section_of(document, "oauth2"), **_oauth2(credentials)}
            self.file.write({**document, "oauth2": oauth2, "keys": {**section_of(document, "keys"), **fresh}})
            self._next.unlink(missing_ok=True)
        for configuration in self.configurations:
            renew_mcp_document(configuration, credentials)

    def _back_up(self) -> None:
        if not self.replacing:
            raise KeyWouldBeLost(self.file.file_path)
        if self.file.file_path.exists():
            set_aside(self.file.file_path)


def _seed_in(draft: Path) -> str | None:
    """The private key in a file beside the credentials, None without one; raises CredentialsUnreadable."""
    text = read_text(draft)
    if text is None:
        return None
    try:
        seed = json.loads(text)["keys"]["private_key"]
        is_complete = len(base64.b64decode(seed, validate=True)) == KEY_BYTES
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        is_complete = False
    if not is_complete:
        raise CredentialsUnreadable(draft, "it holds no private key")
    return str(seed)


def _identity(file_path: Path, document: Document) -> OwnIdentity:
    try:
        key = PublicKey.parse(text_of(document, "keys.public_key"))
        return OwnIdentity(
            agent_id=AgentId(UUID(text_of(document, "identity_id"))),
            public_key=key,
            private_key=text_of(document, "keys.private_key"),
            fingerprint=key.fingerprint,
            credentials=ClientSecret(
                client_id=ClientId(UUID(text_of(document, "oauth2.client_id"))),
                secret=text_of(document, "oauth2.client_secret"),
            ),
            api_url=text_of(document, "endpoints.api").removesuffix("/"),
            registered_at=_time(text_of(document, "registered_at")),
        )
    except (ValueError, MalformedKey) as error:
        raise CredentialsUnreadable(file_path, "a part is missing or malformed: run 'moltnet config repair'") from error


def identity_document(identity: OwnIdentity) -> Document:
    """An identity in the form of the credentials file (docs/reference/client.md, "Credentials file")."""
    return {
        "identity_id": str(identity.agent_id),
        "oauth2": _oauth2(identity.credentials),
        "keys": {
            "public_key": identity.public_key.text,
            "private_key": identity.private_key,
            "fingerprint": str(identity.fingerprint),
        },
        "endpoints": {"api": identity.api_url, "mcp": f"{identity.api_url}/mcp"},
        "registered_at": identity.registered_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _oauth2(credentials: ClientSecret) -> dict[str, object]:
    return {"client_id": str(credentials.client_id), "client_secret": credentials.secret}


def _time(text: str) -> datetime:
    # When an agent registered is told to people and decides nothing: an odd text is not a reason to refuse the rest.
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
