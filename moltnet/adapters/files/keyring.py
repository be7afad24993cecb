"""An agent's identity in its credentials file, and the key that is about to become one.

Source: docs/reference/client.md, "Credentials file".
"""

import base64
import binascii
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import attrs

from moltnet.adapters.files.credentials import (
    CredentialsFile,
    CredentialsUnreadable,
    Document,
    section_of,
    text_of,
    to_json,
)
from moltnet.adapters.files.mcp_config import renew_configuration
from moltnet.adapters.files.paths import alone_in, read_text, set_aside, write_atomically
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Conflict
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import KEY_BYTES, MalformedKey, PublicKey
from moltnet.ports.keyring import NoCredentials, OwnIdentity


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

    def read(self) -> OwnIdentity | None:
        """The identity in the file; raises CredentialsUnreadable for one that lacks a part."""
        document = self.file.read()
        return None if document is None else _identity(self.file.file_path, document)

    def prepared(self) -> str | None:
        """The private key of a registration that was started and not finished."""
        text = read_text(self._draft)
        if text is None:
            return None
        try:
            seed = json.loads(text)["keys"]["private_key"]
            is_complete = len(base64.b64decode(seed, validate=True)) == KEY_BYTES
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            is_complete = False
        if not is_complete:
            raise CredentialsUnreadable(self._draft, "it holds no private key")
        return str(seed)

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
            renew_configuration(configuration, credentials)

    def _back_up(self) -> None:
        if not self.replacing:
            raise KeyWouldBeLost(self.file.file_path)
        if self.file.file_path.exists():
            set_aside(self.file.file_path)


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
