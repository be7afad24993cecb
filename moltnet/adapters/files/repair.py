"""What can be wrong with a credentials file, and what can be mended without asking.

Source: docs/reference/client.md, "Repair".
"""

import base64
import binascii
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

import attrs

from moltnet.adapters.files.credentials import CredentialsFile, Document, section_of, text_of
from moltnet.adapters.files.paths import SECRET
from moltnet.domain.ids import parse_uuid
from moltnet.domain.keys import KEY_BYTES, KEY_PREFIX, MalformedKey, PublicKey

REQUIRED = (
    "identity_id",
    "keys.public_key",
    "keys.private_key",
    "endpoints.api",
    "oauth2.client_id",
    "oauth2.client_secret",
)
PATHS = ("ssh.private_key_path", "ssh.public_key_path", "git.config_path", "github.private_key_path")

IDS = ("identity_id", "oauth2.client_id")

PublicKeyOf = Callable[[bytes], PublicKey]
"""The public key of a 32-byte seed."""


class Action(StrEnum):
    """What is done about a finding."""

    FIXED = "fixed"
    WARNING = "warning"
    MIGRATE = "migrate"


@attrs.frozen(kw_only=True)
class RepairFinding:
    """One thing that is wrong; `field` is a dotted path in the file, or `file` for the file itself."""

    field: str
    problem: str
    action: Action = Action.WARNING


@attrs.frozen(kw_only=True)
class Repaired:
    """What was found, and what the file holds, or would hold, afterwards; None when there is no file at all."""

    findings: tuple[RepairFinding, ...]
    document: Document | None

    @property
    def writes(self) -> bool:
        """Whether something was, or would be, written."""
        return any(finding.action is not Action.WARNING for finding in self.findings)


def repair(file: CredentialsFile, public_key_of: PublicKeyOf, *, dry_run: bool = False) -> Repaired:
    """Looks a credentials file over, and mends what follows from the rest of it.

    Nothing is invented: what only the network or the agent's owner can know is reported as a warning. Raises
    CredentialsUnreadable and UnusablePath.
    """
    document = file.read()
    if document is None:
        return Repaired(findings=(), document=None)
    findings = (*_of_file(file), *_of_members(document), *_of_keys(document, public_key_of))
    repaired = Repaired(findings=findings, document=_mended(document, findings))
    if repaired.writes and not dry_run:
        file.write(_mended(document, findings))
    return repaired


def _of_file(file: CredentialsFile) -> Iterator[RepairFinding]:
    if not file.file_path.exists():
        yield RepairFinding(field="file", problem=f"only {file.legacy.name} is there", action=Action.MIGRATE)
    elif file.file_path.stat().st_mode & 0o777 != SECRET:
        mode = f"{file.file_path.stat().st_mode & 0o777:04o}"
        yield RepairFinding(field="file", problem=f"its mode is {mode}: others may read the key", action=Action.FIXED)


def _of_members(document: Document) -> Iterator[RepairFinding]:
    for path in REQUIRED:
        if not text_of(document, path):
            yield RepairFinding(field=path, problem="missing or empty")
    for path in IDS:
        if text_of(document, path) and parse_uuid(text_of(document, path)) is None:
            yield RepairFinding(field=path, problem="is not a UUID")
    if text_of(document, "endpoints.api") and not text_of(document, "endpoints.mcp"):
        yield RepairFinding(field="endpoints.mcp", problem="empty", action=Action.FIXED)
    for path in PATHS:
        file_path = text_of(document, path)
        if file_path and not Path(file_path).exists():
            yield RepairFinding(field=path, problem=f"no such file: {file_path}")


def _of_keys(document: Document, public_key_of: PublicKeyOf) -> Iterator[RepairFinding]:
    public, private = text_of(document, "keys.public_key"), text_of(document, "keys.private_key")
    if public and not public.startswith(KEY_PREFIX):
        yield RepairFinding(field="keys.public_key", problem=f"does not begin with {KEY_PREFIX}")
    key, seed = _public(public), _seed(private)
    if private and seed is None:
        yield RepairFinding(field="keys.private_key", problem="is not 32 bytes in base64")
    if public and key is None:
        yield RepairFinding(field="keys.public_key", problem="does not hold 32 bytes")
    if key and seed and public_key_of(seed) != key:
        yield RepairFinding(field="keys.private_key", problem="is not the private key of keys.public_key")
    if key and text_of(document, "keys.fingerprint") != str(key.fingerprint):
        yield RepairFinding(field="keys.fingerprint", problem="is not that of keys.public_key", action=Action.FIXED)


def _mended(document: Document, findings: tuple[RepairFinding, ...]) -> Document:
    fixed = {finding.field for finding in findings if finding.action is Action.FIXED}
    mended = dict(document)
    if "endpoints.mcp" in fixed:
        mcp = f"{text_of(document, 'endpoints.api')}/mcp"
        mended["endpoints"] = {**section_of(document, "endpoints"), "mcp": mcp}
    if "keys.fingerprint" in fixed:
        fingerprint = str(PublicKey.parse(text_of(document, "keys.public_key")).fingerprint)
        mended["keys"] = {**section_of(document, "keys"), "fingerprint": fingerprint}
    return mended


def _public(text: str) -> PublicKey | None:
    try:
        return PublicKey.parse(text) if text else None
    except MalformedKey:
        return None


def _seed(text: str) -> bytes | None:
    try:
        seed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return seed if len(seed) == KEY_BYTES else None
