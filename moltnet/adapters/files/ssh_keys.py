"""An agent's key in the form SSH and git use (OpenSSH's PROTOCOL.key; RFC 8709 §4)."""

import base64
import binascii
from pathlib import Path

import attrs

from moltnet.adapters.files.paths import PUBLIC, private_folder, write_atomically
from moltnet.domain.errors import Invalid
from moltnet.domain.keys import KEY_BYTES, KEY_PREFIX, PublicKey

KIND = b"ssh-ed25519"
_MAGIC = b"openssh-key-v1\x00"
_NONE = b"none"
_BLOCK = 8
_COLUMNS = 70


class NotAKey(Invalid):
    """A text that holds no Ed25519 key."""

    code = "NOT_A_KEY"


@attrs.frozen(kw_only=True)
class SshKeyFiles:
    """Where an exported key pair lies."""

    private: Path
    public: Path


def public_line(public_key: str) -> str:
    """One line as in `authorized_keys`, without a comment. Raises NotAKey."""
    blob = _text(KIND) + _text(_public_bytes(public_key))
    return f"{KIND.decode()} {base64.b64encode(blob).decode('ascii')}"


def private_pem(seed: str, public_key: str) -> str:
    """The private key as an unencrypted OpenSSH PEM. Raises NotAKey.

    The check numbers, which tell a wrong passphrase, are zero: there is no passphrase, and equal keys stay equal.
    """
    public, secret = _public_bytes(public_key), _seed_bytes(seed)
    body = bytes(8) + _text(KIND) + _text(public) + _text(secret + public) + _text(b"")
    body += bytes(range(1, (-len(body)) % _BLOCK + 1))
    encoded = _MAGIC + _text(_NONE) + _text(_NONE) + _text(b"") + (1).to_bytes(4, "big")
    encoded += _text(_text(KIND) + _text(public)) + _text(body)
    text = base64.b64encode(encoded).decode("ascii")
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----", ""])


def export(folder: Path, seed: str, public_key: str) -> SshKeyFiles:
    """Writes both files into a folder, which is made if need be. Raises NotAKey and UnusablePath."""
    pem, line = private_pem(seed, public_key), public_line(public_key)
    private_folder(folder)
    files = SshKeyFiles(private=folder / "id_ed25519", public=folder / "id_ed25519.pub")
    write_atomically(files.private, pem)
    write_atomically(files.public, line + "\n", PUBLIC)
    return files


def _public_bytes(text: str) -> bytes:
    if not text.startswith(KEY_PREFIX):
        raise NotAKey(f"a public key begins with {KEY_PREFIX} and holds 32 bytes")
    return PublicKey.parse(text).raw


def _seed_bytes(text: str) -> bytes:
    try:
        seed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != KEY_BYTES:
        raise NotAKey("a private key is 32 bytes in base64")
    return seed


def _text(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value
