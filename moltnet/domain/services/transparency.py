"""The open log of a network: leaves are put into its tree, which is shown with proofs (docs/reference/log.md)."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from moltnet.domain.checkpoints import Checkpoint, VerifierKey
from moltnet.domain.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    Node,
    Range,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    range_hash,
)
from moltnet.domain.services.witness import Witnessing
from moltnet.domain.tiles import HEIGHT, LEVEL_MAX, WIDTH, Extent, Tile, bundle_of, edge, extended, hash_in, tile_of
from moltnet.domain.transparency import LogForked, LoggedLeaf, LogNotStarted, NoSuchLeaf
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.transparency import LogHead, LogSigning

EXTENDED_AT_ONCE = 500


@attrs.frozen(kw_only=True)
class Inclusion:
    """A leaf, and the proof that it is in the tree of a size; the checkpoint is the newest."""

    data: bytes
    index: int
    size: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint


@attrs.frozen(kw_only=True)
class Consistency:
    """The proof that the tree of a size begins with that of an earlier one; the checkpoint is the newest."""

    before: int
    size: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint


@attrs.frozen(kw_only=True)
class TransparencyService:
    """Grows the log and shows it."""

    storage: Storage
    log_signing: LogSigning
    witnessing: Witnessing

    async def extend(self) -> bool:
        """Puts pending leaves into the tree and signs its head; answers whether there may be more.

        Of several processes at once, one does it and the others wait. What is stored must be the tree that was signed
        last: raises LogForked where it is not, and LogKeyUnreadable.
        """
        async with self.storage.autocommit() as work:
            is_idle = not await work.transparency.pending(1)
            head = await work.transparency.head()
        if is_idle and head.signed is not None:
            await self._show(head, head.signed)
            return False
        signer = await self.log_signing.signer()
        async with self.storage.transaction() as work:
            head = await work.transparency.hold()
            pending = await work.transparency.pending(EXTENDED_AT_ONCE)
            if not pending and head.signed is not None:
                return False
            size = head.signed.size if head.signed else 0
            partial = await work.transparency.tiles(edge(size))
            _check_stored(head, partial)
            changed = extended(size, partial, (leaf_hash(each.leaf.data) for each in pending))
            grown = size + len(pending)
            root = _root(grown, {**partial, **changed})
            signed = Checkpoint(origin=signer.key.name, size=grown, root=root).signed(signer.key, signer.sign)
            await work.transparency.extend(size, pending, changed, signed)
            if not self.witnessing.witnesses:
                await work.transparency.publish(signed)
                head = LogHead(signed=signed, published=signed)
        await self._show(head, signed)
        return len(pending) == EXTENDED_AT_ONCE

    async def _show(self, head: LogHead, signed: Checkpoint) -> None:
        """Lets anybody see a checkpoint, once its witnesses have signed or had their time."""
        is_shown = head.published is not None and head.published.size == signed.size
        latest = head.published if head.published is not None and is_shown else signed
        if is_shown and not self.witnessing.is_wanting(latest):
            return
        cosigned = await self.witnessing.cosigned(latest, self._growth)
        if cosigned != head.published:
            async with self.storage.autocommit() as work:
                await work.transparency.publish(cosigned)

    async def _growth(self, before: int, size: int) -> tuple[bytes, ...]:
        async with self.storage.snapshot() as work:
            return await _hashes(work, consistency_ranges(before, size))

    async def key(self) -> VerifierKey:
        """The name and public key of the log; raises LogKeyUnreadable."""
        return (await self.log_signing.signer()).key

    async def checkpoint(self) -> Checkpoint:
        """The head of the tree as anybody may see it; raises LogNotStarted."""
        async with self.storage.autocommit() as work:
            return await _published(work)

    async def tile(self, level: int, extent: Extent) -> bytes:
        """The hashes of a tile; raises NoSuchLeaf where the published tree has none of this width."""
        async with self.storage.snapshot() as work:
            size = (await _published(work)).size
            if level > LEVEL_MAX or not _has(size >> HEIGHT * level, extent):
                raise NoSuchLeaf
            tile = Tile(level, extent.index)
            return (await work.transparency.tiles([tile]))[tile][: extent.width * HASH_BYTES]

    async def bundle(self, extent: Extent) -> bytes:
        """The leaves of a bundle, each behind its length; raises NoSuchLeaf as `tile` does."""
        async with self.storage.snapshot() as work:
            if not _has((await _published(work)).size, extent):
                raise NoSuchLeaf
            return bundle_of(await work.transparency.leaves(extent.leaves))

    async def inclusion(self, index: int, of_size: int | None = None) -> Inclusion:
        """A leaf and its proof, in the tree as it was at a size, or as it is; raises NoSuchLeaf."""
        async with self.storage.snapshot() as work:
            checkpoint = await _published(work)
            size = checkpoint.size if of_size is None else of_size
            if not index < size <= checkpoint.size:
                raise NoSuchLeaf
            hashes = await _hashes(work, inclusion_ranges(index, size))
            [data] = await work.transparency.leaves(Range(index, index + 1))
        return Inclusion(data=data, index=index, size=size, hashes=hashes, checkpoint=checkpoint)

    async def consistency(self, before: int, of_size: int | None = None) -> Consistency:
        """The proof that the log begins with what it was at an earlier size; raises NoSuchLeaf where it is smaller."""
        async with self.storage.snapshot() as work:
            checkpoint = await _published(work)
            size = checkpoint.size if of_size is None else of_size
            if not before <= size <= checkpoint.size:
                raise NoSuchLeaf
            hashes = await _hashes(work, consistency_ranges(before, size))
        return Consistency(before=before, size=size, hashes=hashes, checkpoint=checkpoint)

    async def leaves(self, subject: str | None, first: int, limit: int) -> list[LoggedLeaf]:
        """The leaves from an index on, by index; with a subject, those about this fingerprint, diary or key id."""
        async with self.storage.snapshot() as work:
            size = (await _published(work)).size
            if subject is None:
                found = await work.transparency.leaves(Range(first, min(first + limit, size)))
                return [LoggedLeaf(index=index, data=data) for index, data in enumerate(found, first)]
            found_leaves = await work.transparency.of_subject(subject, first - 1, limit)
        return [leaf for leaf in found_leaves if leaf.index < size]


async def _published(work: UnitOfWork) -> Checkpoint:
    published = (await work.transparency.head()).published
    if published is None:
        raise LogNotStarted
    return published


def _has(count: int, extent: Extent) -> bool:
    """Whether a level with so many hashes has all of a tile."""
    return extent.index * WIDTH + extent.width <= count


def _check_stored(head: LogHead, partial: Mapping[Tile, bytes]) -> None:
    size, root = (head.signed.size, head.signed.root) if head.signed else (0, EMPTY_ROOT)
    try:
        is_right = _root(size, partial) == root
    except (KeyError, ValueError):
        is_right = False
    if not is_right:
        raise LogForked


def _root(size: int, tiles: Mapping[Tile, bytes]) -> bytes:
    return range_hash(Range(0, size), lambda node: hash_in(tiles[tile_of(node)], node))


async def _hashes(work: UnitOfWork, ranges: Sequence[Range]) -> tuple[bytes, ...]:
    nodes: Iterable[Node] = (node for each in ranges for node in each.nodes)
    tiles = await work.transparency.tiles({tile_of(node) for node in nodes})
    return tuple(range_hash(each, lambda node: hash_in(tiles[tile_of(node)], node)) for each in ranges)
