"""The open log as it is shown: leaves as the texts that are hashed, hashes in base64, checkpoints as signed."""

from collections.abc import Iterable

import attrs

from moltnet.domain.checkpoints import Checkpoint, LogProof, MalformedCheckpoint, VerifierKey, parse_hashes
from moltnet.domain.records import base64_text
from moltnet.domain.text import text_fault
from moltnet.domain.tiles import LEAF_MAX
from moltnet.domain.transparency import LoggedLeaf, NoSuchLeaf

PROOF_TEXT_MAX = 16_384  # characters: 64 hashes, and a checkpoint with the signatures of 32 witnesses


@attrs.frozen(kw_only=True)
class LogDescription:
    """What is needed to follow a log: its name, its key, and its present head."""

    origin: str
    key: str
    size: int
    checkpoint: str

    @classmethod
    def of(cls, key: VerifierKey, checkpoint: Checkpoint) -> "LogDescription":
        """The log of a key, as it is now."""
        return cls(origin=checkpoint.origin, key=key.text, size=checkpoint.size, checkpoint=checkpoint.text)


@attrs.frozen(kw_only=True)
class ShownLeaf:
    """A leaf: its index, and the canonical JSON that is hashed."""

    index: int
    leaf: str

    @classmethod
    def of(cls, index: int, data: bytes) -> "ShownLeaf":
        """The leaf of an index."""
        return cls(index=index, leaf=data.decode("utf-8"))

    @property
    def data(self) -> bytes:
        """The bytes that are hashed."""
        return self.leaf.encode("utf-8", "surrogatepass")


@attrs.frozen(kw_only=True)
class LeafProof:
    """A leaf, and the proof that it is in the tree of a size; the checkpoint is the newest."""

    index: int
    leaf: str
    size: int
    hashes: list[str]
    checkpoint: str

    @classmethod
    def of(cls, leaf: LoggedLeaf, size: int, hashes: Iterable[bytes], checkpoint: Checkpoint) -> "LeafProof":
        """The proof of a leaf."""
        return cls(
            index=leaf.index,
            leaf=leaf.data.decode("utf-8"),
            size=size,
            hashes=_texts(hashes),
            checkpoint=checkpoint.text,
        )

    @property
    def data(self) -> bytes:
        """The bytes of the leaf."""
        return self.leaf.encode("utf-8", "surrogatepass")

    def proof_in(self, checkpoint: Checkpoint) -> LogProof:
        """The same for anybody who was not there, as a `.tlog-proof` file; raises MalformedCheckpoint.

        Raises NoSuchLeaf for a checkpoint of another size.
        """
        if checkpoint.size != self.size:
            raise NoSuchLeaf
        return LogProof(index=self.index, hashes=parse_hashes(self.hashes), checkpoint=checkpoint)


@attrs.frozen(kw_only=True)
class GrowthProof:
    """The proof that the tree of a size begins with that of an earlier one; the checkpoint is the newest."""

    before: int
    size: int
    hashes: list[str]
    checkpoint: str

    @classmethod
    def of(cls, before: int, size: int, hashes: Iterable[bytes], checkpoint: Checkpoint) -> "GrowthProof":
        """The proof from a size to another."""
        return cls(before=before, size=size, hashes=_texts(hashes), checkpoint=checkpoint.text)


@attrs.frozen(kw_only=True)
class ProvenLeaf:
    """A leaf with its proof in the log of a key: anybody who knows that key can check it, and nobody is asked."""

    key: VerifierKey
    data: bytes = attrs.field(repr=False)
    proof: LogProof = attrs.field(repr=False)

    @classmethod
    def parse(cls, key: str, leaf: str, proof: str) -> "ProvenLeaf":
        """The same of three texts; nothing is verified. Raises MalformedCheckpoint."""
        if len(leaf) > LEAF_MAX or len(proof) > PROOF_TEXT_MAX or text_fault(leaf):
            raise MalformedCheckpoint("The leaf or its proof is longer than any, or no text")
        return cls(key=VerifierKey.parse(key), data=leaf.encode(), proof=LogProof.parse(proof))

    @property
    def texts(self) -> dict[str, str]:
        """Its three texts, as `moltnet log prove` prints them."""
        return {"key": self.key.text, "leaf": self.data.decode(), "proof": self.proof.text}

    @property
    def size(self) -> int:
        """How many characters its texts have."""
        return sum(map(len, self.texts.values()))


def _texts(hashes: Iterable[bytes]) -> list[str]:
    return list(map(base64_text, hashes))
