"""Files that are encrypted as age does it (age-encryption.org/v1), for keys of age and for Ed25519 keys of SSH."""

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from moltnet.domain.errors import Invalid, Unavailable

HEADER = b"age-encryption.org/"


class AgeMissing(Unavailable):
    """The library that encrypts is an optional part."""

    code = "AGE_MISSING"
    sentence = "Encrypted archives need an optional part: pip install 'moltnet[archive]'"


class BadRecipient(Invalid):
    """A text that is no public key to encrypt for."""

    code = "BAD_RECIPIENT"
    sentence = "A recipient is a public key: age1… of age, or a line that begins with ssh-ed25519"


class BadIdentity(Invalid):
    """A text that holds no private key to decrypt with."""

    code = "BAD_IDENTITY"
    sentence = "An identity is a file with AGE-SECRET-KEY-1… of age, or an OpenSSH private key without a passphrase"


class NotDecrypted(Invalid):
    """A file that is encrypted for others, or damaged."""

    code = "NOT_DECRYPTED"
    sentence = "The archive is encrypted for other keys, or damaged; name the private key with --identity"


def _library() -> Any:
    try:
        import pyrage  # noqa: PLC0415  # optional
    except ModuleNotFoundError as error:
        raise AgeMissing from error
    return pyrage


def encrypt(source: BinaryIO, target: BinaryIO, recipients: Sequence[str]) -> None:
    """Encrypts a file for those who have any of the keys; raises AgeMissing and BadRecipient."""
    age = _library()
    age.encrypt_io(source, target, [_recipient(age, text.strip()) for text in recipients])


def check_recipients(recipients: Iterable[str]) -> None:
    """Raises AgeMissing and BadRecipient."""
    age = _library()
    for text in recipients:
        _recipient(age, text.strip())


def decrypt(source: BinaryIO, target: BinaryIO, identities: Sequence[str]) -> None:
    """Decrypts a file with any of the private keys; raises AgeMissing, BadIdentity and NotDecrypted."""
    age = _library()
    keys = [key for text in identities for key in _identities(age, text)]
    try:
        age.decrypt_io(source, target, keys)
    except (age.DecryptError, OSError) as error:
        raise NotDecrypted from error


def _recipient(age: Any, text: str) -> Any:
    try:
        return (age.ssh if text.startswith("ssh-") else age.x25519).Recipient.from_str(text)
    except age.RecipientError as error:
        raise BadRecipient from error


def _identities(age: Any, text: str) -> list[Any]:
    try:
        if "OPENSSH PRIVATE KEY" in text:
            return [age.ssh.Identity.from_buffer(text.encode())]
        lines = (line.strip() for line in text.splitlines())
        found = [age.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except age.IdentityError as error:
        raise BadIdentity from error
    if not found:
        raise BadIdentity
    return found
