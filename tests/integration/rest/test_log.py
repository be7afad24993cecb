"""The open log over REST: its files are static, and make the tree of its checkpoint (docs/reference/log.md)."""

import pytest

from moltnet.domain.checkpoints import Checkpoint, VerifierKey
from moltnet.domain.merkle import leaf_hash, root_of
from moltnet.domain.tiles import leaves_in
from moltnet.domain.transparency import Leaf


async def fetched(network, path: str) -> bytes:
    async with network.http.get(path) as answer:
        assert answer.status == 200, path
        return await answer.read()


async def test_a_reader_of_files_finds_the_tree_that_was_signed(network):
    await network.member()
    await network.services.transparency.extend()
    async with network.http.get("/log/checkpoint") as answer:
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=1"
        checkpoint = Checkpoint.parse(await answer.text())
    async with network.http.get("/log") as answer:
        described = await answer.json()
    assert VerifierKey.parse(described["key"]).name == described["origin"] == checkpoint.origin
    assert 1 <= checkpoint.size < 256
    leaves = leaves_in(await fetched(network, f"/log/tile/entries/000.p/{checkpoint.size}"))
    async with network.http.get(f"/log/tile/0/000.p/{checkpoint.size}") as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        tile = await answer.read()
    assert tile == b"".join(leaf_hash(leaf) for leaf in leaves)
    assert root_of([leaf_hash(leaf) for leaf in leaves]) == checkpoint.root
    assert all(Leaf.parse(leaf).data == leaf for leaf in leaves)
    assert await fetched(network, "/log/tile/0/000.p/1") == tile[:32]


@pytest.mark.parametrize(
    "path",
    [
        *["0/000", "0/001.p/1", "1/000.p/1", "0/0", "0/x000/000", "64/000.p/1", "00/000.p/1", "entries/000"],
        *["other/000.p/1", "0/000.p/0", "0/000.p/256", "-1/000.p/1", "0/x999/x999/x999/999", "0/%00", "\u0660/000.p/1"],
        *["0/000.p/9999999999", f"{'9' * 50}/000.p/1"],
    ],
)
async def test_what_the_tree_does_not_have_is_not_found(network, path):
    async with network.http.get(f"/log/tile/{path}") as answer:
        assert answer.status in {400, 404}
        assert answer.headers["Content-Type"].startswith("application/problem+json")
