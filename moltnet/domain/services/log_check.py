"""Whether the log that a network shows is the one that was seen before, grown: decided where the client is."""

from collections.abc import Iterable

import attrs

from moltnet.domain.checkpoints import Checkpoint, KnownLog, VerifierKey, parse_hashes
from moltnet.domain.log_views import GrowthProof, LeafProof, ProvenLeaf, ShownLeaf
from moltnet.domain.merkle import EMPTY_ROOT, Frontier, is_consistent, is_included, leaf_hash
from moltnet.domain.transparency import Leaf, LogForked, LogProofWrong, LogRolledBack
from moltnet.ports.keys import Signatures


@attrs.frozen(kw_only=True)
class VerifiedLeaf:
    """A leaf that is proven to be in the log."""

    index: int
    leaf: Leaf


@attrs.frozen
class LogVerifier:
    """Verifies what a network shows of its log; nothing of it is believed."""

    signatures: Signatures

    def accepted(self, checkpoint: Checkpoint, key: VerifierKey, witnesses: Iterable[VerifierKey] = ()) -> KnownLog:
        """The head of the log of a key; raises LogForked unless the log signed it, and so did all these witnesses."""
        if checkpoint.origin != key.name or not checkpoint.is_signed_by(key, self.signatures.verify):
            raise LogForked(f"The checkpoint is not signed by {key.name}: another log is shown in its place")
        for witness in witnesses:
            if not checkpoint.is_signed_by(witness, self.signatures.verify):
                raise LogForked(f"The witness {witness.name} has not signed the checkpoint")
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise LogForked("The checkpoint is of an empty log with another root than that has")
        return KnownLog(key=key, checkpoint=checkpoint)

    def grown(self, known: KnownLog, growth: GrowthProof, witnesses: Iterable[VerifierKey] = ()) -> KnownLog:
        """What is known once the log is proven to have grown; raises LogRolledBack, LogForked, MalformedCheckpoint."""
        shown = self.accepted(Checkpoint.parse(growth.checkpoint), known.key, witnesses)
        before, after = known.checkpoint, shown.checkpoint
        if after.size < before.size:
            raise LogRolledBack(before.size, after.size)
        if not is_consistent(before.size, after.size, parse_hashes(growth.hashes), before.root, after.root):
            raise LogForked(
                f"The log of {after.size} leaves does not begin with the {before.size} that were seen before"
            )
        return shown

    def leaf(self, known: KnownLog, shown: LeafProof) -> VerifiedLeaf:
        """A leaf of the log that is known; raises LogProofWrong, MalformedLeaf and MalformedCheckpoint."""
        checkpoint, hashes = known.checkpoint, parse_hashes(shown.hashes)
        if not is_included(leaf_hash(shown.data), shown.index, checkpoint.size, hashes, checkpoint.root):
            raise LogProofWrong
        return VerifiedLeaf(index=shown.index, leaf=Leaf.parse(shown.data))

    def proven(self, shown: ProvenLeaf, witnesses: Iterable[VerifierKey] = ()) -> Leaf:
        """A leaf that somebody handed over, with its proof in the log of its key.

        Raises LogForked where the log or a witness has not signed the checkpoint, LogProofWrong, and MalformedLeaf.
        """
        proof, checkpoint = shown.proof, shown.proof.checkpoint
        self.accepted(checkpoint, shown.key, witnesses)
        if not is_included(leaf_hash(shown.data), proof.index, checkpoint.size, proof.hashes, checkpoint.root):
            raise LogProofWrong
        return Leaf.parse(shown.data)


@attrs.define
class CompleteLog:
    """Recomputes the tree of a log from all its leaves, which are shown one after the other."""

    known: KnownLog
    _tree: Frontier = attrs.field(factory=Frontier, init=False)

    @property
    def size(self) -> int:
        """How many leaves were added."""
        return self._tree.size

    def add(self, shown: ShownLeaf) -> VerifiedLeaf:
        """The next leaf, which counts once all were added; raises LogProofWrong for another, and MalformedLeaf."""
        if shown.index != self._tree.size:
            raise LogProofWrong("The network does not show every leaf of its log")
        self._tree.add(leaf_hash(shown.data))
        return VerifiedLeaf(index=shown.index, leaf=Leaf.parse(shown.data))

    def check(self) -> None:
        """Raises LogProofWrong unless all leaves together have the root that was signed."""
        checkpoint = self.known.checkpoint
        if (self._tree.size, self._tree.root) != (checkpoint.size, checkpoint.root):
            raise LogProofWrong("The leaves that the network shows are not those that it signed")
