"""Signed tree heads as text: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature and tlog-proof.

A checkpoint has the origin of its log, the size of the tree and its root, a line each; then an empty line, and a line
for every signature: of the log itself, and of witnesses who saw that the log only grew.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Self

import attrs

from moltnet.domain.errors import Invalid
from moltnet.domain.keys import KEY_BYTES, SIGNATURE_BYTES, PublicKey
from moltnet.domain.merkle import HASH_BYTES, PROOF_MAX, SIZE_MAX

LOG_SIGNATURE, COSIGNATURE = 0x01, 0x04
KEY_ID_BYTES, TIMESTAMP_BYTES = 4, 8
SIGNATURES_MAX = 32
CHECKPOINT_MAX = 65_536  # characters
LINE_START = "— "

_NAME = re.compile(r"[^\s+]{1,255}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_PROOF_HEADER = "c2sp.org/tlog-proof@v1"

Verify = Callable[[PublicKey, bytes, bytes], bool]


class MalformedCheckpoint(Invalid):
    """A text that is no checkpoint, no verifier key, or no request to a witness."""

    code = "MALFORMED_CHECKPOINT"
    sentence = "This is no checkpoint of a log (c2sp.org/tlog-checkpoint)"


@attrs.frozen(kw_only=True)
class VerifierKey:
    """A name and the key that it signs with: as a log, or as a witness (`kind`)."""

    name: str = attrs.field()
    kind: int
    key: PublicKey

    @name.validator
    def _well_formed(self, _: object, name: str) -> None:
        if not _NAME.fullmatch(name) or any(ord(character) < ord(" ") for character in name):
            raise MalformedCheckpoint("The name of a log or witness has no white space and no plus sign")

    @property
    def id(self) -> bytes:
        """The four bytes that mark its signatures."""
        named = self.name.encode("utf-8") + b"\n" + bytes([self.kind]) + self.key.raw
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """Its one text form: name, id and key, with plus signs between."""
        return f"{self.name}+{self.id.hex()}+{_base64(bytes([self.kind]) + self.key.raw)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key of a text; raises MalformedCheckpoint."""
        name, _, rest = text.partition("+")
        try:
            raw = _from_base64(rest.partition("+")[2])
        except MalformedCheckpoint:
            raw = b""
        if len(raw) != 1 + KEY_BYTES or raw[0] not in {LOG_SIGNATURE, COSIGNATURE}:
            raise MalformedCheckpoint("A verifier key is name+id+key, with an Ed25519 key of a log or a witness")
        found = cls(name=name, kind=raw[0], key=PublicKey(raw[1:]))
        if found.text != text:
            raise MalformedCheckpoint("The id of the verifier key is not that of its name and key")
        return found


@attrs.frozen(kw_only=True)
class SignatureLine:
    """One signature: whose name it bears, and the id of the key with the signature itself."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """The line, without its end."""
        return f"{LINE_START}{self.name} {_base64(self.key_id + self.signature)}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """The signature of a line; raises MalformedCheckpoint."""
        name, _, encoded = line.removeprefix(LINE_START).partition(" ")
        raw = _from_base64(encoded)
        if not line.startswith(LINE_START) or not _NAME.fullmatch(name) or len(raw) <= KEY_ID_BYTES:
            raise MalformedCheckpoint
        return cls(name=name, key_id=raw[:KEY_ID_BYTES], signature=raw[KEY_ID_BYTES:])

    def is_of(self, key: VerifierKey) -> bool:
        """Whether it says to be of this key."""
        return (self.name, self.key_id) == (key.name, key.id)


@attrs.frozen(kw_only=True)
class Checkpoint:
    """The head of a log's tree, and who signed it."""

    origin: str
    size: int
    root: bytes = attrs.field(repr=False)
    signatures: tuple[SignatureLine, ...] = ()

    @property
    def body(self) -> bytes:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n".encode()

    @property
    def text(self) -> str:
        """The whole text."""
        lines = "".join(f"{line.text}\n" for line in self.signatures)
        return f"{self.body.decode()}\n{lines}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint of a text; raises MalformedCheckpoint.

        One with lines beside the three is refused: what they say no reader of the tree can check.
        """
        body, separator, signed = text.partition("\n\n")
        lines = body.split("\n")
        signatures = signed.split("\n")
        is_complete = separator and len(text) <= CHECKPOINT_MAX and signatures[-1] == "" and len(lines) == 3  # noqa: PLR2004
        if not is_complete or not 2 <= len(signatures) <= SIGNATURES_MAX + 1 or not _is_origin(lines[0]):  # noqa: PLR2004
            raise MalformedCheckpoint
        return cls(
            origin=lines[0],
            size=parse_size(lines[1]),
            root=parse_hash(lines[2]),
            signatures=tuple(map(SignatureLine.parse, signatures[:-1])),
        )

    def signed(self, key: VerifierKey, sign: Callable[[bytes], bytes]) -> Self:
        """The same with the log's own signature; `sign` makes 64 bytes."""
        line = SignatureLine(name=key.name, key_id=key.id, signature=sign(self.body))
        return attrs.evolve(self, signatures=(*self.signatures, line))

    def cosigned(self, key: VerifierKey, at: datetime, sign: Callable[[bytes], bytes]) -> Self:
        """The same with a witness's signature: at this time, it was the largest tree it had seen of the log."""
        timestamp = int(at.timestamp())
        signature = timestamp.to_bytes(TIMESTAMP_BYTES, "big") + sign(self._witnessed(timestamp))
        return self.adding(SignatureLine(name=key.name, key_id=key.id, signature=signature))

    def adding(self, line: SignatureLine) -> Self:
        """The same with another signature, in place of an earlier one of the same key."""
        others = (each for each in self.signatures if (each.name, each.key_id) != (line.name, line.key_id))
        return attrs.evolve(self, signatures=(*others, line))

    def is_signed_by(self, key: VerifierKey, verify: Verify) -> bool:
        """Whether there is a signature of a key, and each that says to be of it is good."""
        lines = [line for line in self.signatures if line.is_of(key)]
        return bool(lines) and all(self._is_good(line, key, verify) for line in lines)

    def _is_good(self, line: SignatureLine, key: VerifierKey, verify: Verify) -> bool:
        if key.kind == LOG_SIGNATURE:
            return len(line.signature) == SIGNATURE_BYTES and verify(key.key, self.body, line.signature)
        timestamp, signature = line.signature[:TIMESTAMP_BYTES], line.signature[TIMESTAMP_BYTES:]
        witnessed = self._witnessed(int.from_bytes(timestamp, "big"))
        return len(signature) == SIGNATURE_BYTES and verify(key.key, witnessed, signature)

    def _witnessed(self, timestamp: int) -> bytes:
        return b"cosignature/v1\ntime %d\n" % timestamp + self.body


@attrs.frozen(kw_only=True)
class KnownLog:
    """The log of a network as a client has seen it: its key, and its last head."""

    key: VerifierKey
    checkpoint: Checkpoint

    @property
    def text(self) -> str:
        """The key in the first line, the checkpoint below."""
        return f"{self.key.text}\n{self.checkpoint.text}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """What a text says; raises MalformedCheckpoint."""
        key, _, checkpoint = text.partition("\n")
        return cls(key=VerifierKey.parse(key), checkpoint=Checkpoint.parse(checkpoint))


@attrs.frozen(kw_only=True)
class LogProof:
    """That a leaf is in a log, for anybody who has the leaf and knows the log's key; nobody is asked."""

    index: int
    hashes: tuple[bytes, ...] = attrs.field(repr=False)
    checkpoint: Checkpoint

    @property
    def text(self) -> str:
        """The text of a `.tlog-proof` file."""
        hashes = "".join(f"{_base64(each)}\n" for each in self.hashes)
        return f"{_PROOF_HEADER}\nindex {self.index}\n{hashes}\n{self.checkpoint.text}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The proof of a text; extra data is passed over. Raises MalformedCheckpoint."""
        head, _, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if lines[1:2] and lines[1].startswith("extra "):
            del lines[1]
        if lines[0] != _PROOF_HEADER or not lines[1:2] or not lines[1].startswith("index "):
            raise MalformedCheckpoint("This is no proof of a log (c2sp.org/tlog-proof)")
        return cls(
            index=parse_size(lines[1].removeprefix("index ")),
            hashes=parse_hashes(lines[2:]),
            checkpoint=Checkpoint.parse(checkpoint),
        )


@attrs.frozen(kw_only=True)
class WitnessRequest:
    """What a log asks a witness to sign: a checkpoint, and a proof that it follows the size the witness signed last."""

    before: int
    hashes: tuple[bytes, ...] = attrs.field(repr=False)
    checkpoint: Checkpoint

    @property
    def text(self) -> str:
        """The body of the request (c2sp.org/tlog-witness)."""
        hashes = "".join(f"{_base64(each)}\n" for each in self.hashes)
        return f"old {self.before}\n{hashes}\n{self.checkpoint.text}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The request of a body; raises MalformedCheckpoint."""
        head, separator, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or not lines[0].startswith("old "):
            raise MalformedCheckpoint("This is no request to a witness (c2sp.org/tlog-witness)")
        return cls(
            before=parse_size(lines[0].removeprefix("old ")),
            hashes=parse_hashes(lines[1:]),
            checkpoint=Checkpoint.parse(checkpoint),
        )


def parse_size(text: str) -> int:
    """The number of leaves that a text says, or the index of one; raises MalformedCheckpoint."""
    if not _NUMBER.fullmatch(text) or int(text) > SIZE_MAX:
        raise MalformedCheckpoint
    return int(text)


def parse_hash(text: str) -> bytes:
    """The hash of a text in padded base64; raises MalformedCheckpoint."""
    raw = _from_base64(text)
    if len(raw) != HASH_BYTES:
        raise MalformedCheckpoint
    return raw


def parse_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """The hashes of a proof; raises MalformedCheckpoint for more than any has."""
    if len(lines) > PROOF_MAX:
        raise MalformedCheckpoint
    return tuple(map(parse_hash, lines))


def _is_origin(line: str) -> bool:
    return line != "" and line.isprintable()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise MalformedCheckpoint from None
    if _base64(raw) != text:
        raise MalformedCheckpoint
    return raw
