"""Archives in the hands of somebody without the keys: reordered, cut, forked, replayed, mixed; all of it is found."""

import asyncio
import json
from base64 import b64decode
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moltnet.domain.archive_lines import record_line
from moltnet.domain.checkpoints import VerifierKey
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import EntryRecord, SignedRecord, signed_bytes
from moltnet.domain.services.chains import Fault
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.library.agent import LocalAgent
from moltnet.entrypoints.library.archive_checks import ArchiveVerdict, verify_archive
from tests.support.archives import logged, members_of, zipped
from tests.support.networks import embedded, founded

RECORDS = 6


@attrs.frozen(kw_only=True, repr=False)
class Loot:
    """An archive that an attacker has, and lines with good signatures from elsewhere.

    The `ledger` is public and has records of two authors; the last of them is in the open log, whose key is `log`.
    """

    members: dict[str, bytes]
    older: dict[str, bytes]
    ledger: str
    foreign: tuple[bytes, ...]
    log: VerifierKey

    def _repr_pretty_(self, printer: Any, _: object) -> None:
        printer.text("loot")

    @property
    def lines(self) -> list[bytes]:
        """The records of the ledger."""
        return self.members[self.ledger].splitlines(keepends=True)


@pytest.fixture(scope="module")
def loot(tmp_path_factory: pytest.TempPathFactory) -> Loot:
    return asyncio.run(_looted(tmp_path_factory.mktemp("loot")))


async def _looted(folder: Path) -> Loot:
    async with embedded() as network:
        ada, bob = await network.genesis(), await network.genesis()
        ledger = await ada.diaries.create(name="Ledger", signed=True, visibility=Visibility.PUBLIC)
        share = await ada.sharing.share(ledger.id, _key(bob).fingerprint, role=ShareRole.WRITER)
        await bob.sharing.accept(share.id)
        other = await ada.diaries.create(name="Other", signed=True)
        await ada.diary.create((await ada.diaries.create(name="Plain")).id, content="plain")
        for number in range(3):
            await ada.diary.create(other.id, content=f"other {number}")
        for number in range(RECORDS):
            await (ada, bob)[number % 2].diary.create(ledger.id, content=f"Paid {number}")
            if number == RECORDS // 2:
                await logged(ada)
                await ada.export(folder / "older.zip")
        await logged(ada)
        await ada.export(folder / "a.zip")
        fork = await _fork(ada, ledger.id)
        foreign = [record_line(each.signed) async for each in ada.records.all(other.id)]
        return Loot(
            members=members_of(folder / "a.zip"),
            older=members_of(folder / "older.zip"),
            ledger=f"diaries/{ledger.id}.jsonl",
            foreign=(fork, *foreign),
            log=(await ada.log.follow()).key,
        )


def _key(agent: LocalAgent) -> PublicKey:
    assert agent.keys
    return agent.keys.public_key


async def _fork(agent: LocalAgent, diary: DiaryId) -> bytes:
    """Another record in the place of the third, which its author signed, too."""
    keys = agent.keys
    assert keys
    shown = [each.signed async for each in agent.records.all(diary)]
    third = parse_record(shown[2].payload or b"")
    assert isinstance(third, EntryRecord)
    text = "Paid otherwise"
    record = EntryRecord.of(
        NewEntry(content=text),
        diary_id=diary,
        head=shown[1].head,
        key=keys.public_key,
        entry_id=EntryId(third.entry_id),
        supersedes=None,
        salt=bytes(16),
        at=third.created_at,
    )
    signed = SignedRecord.of(record, b64decode(keys.sign(signed_bytes(record.payload))))
    return record_line(attrs.evolve(signed, content=text))


def verified(loot: Loot, members: dict[str, bytes], *, refit: bool) -> ArchiveVerdict:
    """What is said of these members, with the network's key."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.zip")
        zipped(path, members, with_manifest=refit)
        return verify_archive(path, network_key=loot.log)


def _headed(members: dict[str, bytes], ledger: str, lines: list[bytes]) -> None:
    """Makes the manifest name the last of these lines as the head."""
    manifest = json.loads(members["manifest.json"])
    last = json.loads(lines[-1]) if lines else {"sequence": 0, "hash": None}
    for diary in manifest["diaries"]:
        if diary["entries"]["file"] == ledger:
            diary["head"] = {"sequence": last["sequence"], "hash": last["hash"]}
    members["manifest.json"] = json.dumps(manifest).encode()


INDEX = st.integers(0, RECORDS - 1)
STEPS = st.one_of(
    st.tuples(st.just("swap"), INDEX, INDEX),
    st.tuples(st.just("leave out"), INDEX, INDEX),
    st.tuples(st.just("repeat"), INDEX, INDEX),
    st.tuples(st.just("cut"), INDEX, INDEX),
    st.tuples(st.just("insert"), INDEX, INDEX),
    st.tuples(st.just("put in place"), INDEX, INDEX),
)


def _after(lines: list[bytes], step: tuple[str, int, int], foreign: tuple[bytes, ...]) -> list[bytes]:
    what, at, other = step
    at, other = min(at, len(lines) - 1), min(other, len(lines) - 1)
    if not lines:
        return lines
    line, strange = lines[at], foreign[step[2] % len(foreign)]
    if what == "swap":
        lines[at], lines[other] = lines[other], line
    elif what == "cut":
        return lines[:at]
    elif what == "put in place":
        lines[at] = strange
    else:
        lines[at : at + 1] = {"leave out": [], "repeat": [line, line], "insert": [line, strange]}[what]
    return lines


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=3), names_head=st.booleans())
def test_a_chain_that_holds_is_the_one_that_the_log_has(
    loot: Loot, *, steps: list[tuple[str, int, int]], names_head: bool
) -> None:
    lines = loot.lines
    for step in steps:
        lines = _after(lines, step, loot.foreign)
    members = {**loot.members, loot.ledger: b"".join(lines)}
    if names_head:
        _headed(members, loot.ledger, lines)
    is_same = lines == loot.lines
    assert verified(loot, members, refit=True).holds == is_same
    kept = verified(loot, members, refit=False)
    assert (kept.holds, kept.signed_by is not None) == (is_same and not names_head, not names_head)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_was_signed_as_a_whole_is_not_mixed_with_anything_else(loot: Loot, data: st.DataObject) -> None:
    """Members of an older archive, of each other, cut, or left out: by somebody who leaves the signature as it is."""
    members = dict(loot.members)
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(sorted(members)))
        source = data.draw(st.sampled_from(["older", "another", "cut", "gone"]))
        content = {
            "older": loot.older.get(name, b""),
            "another": members[data.draw(st.sampled_from(sorted(members)))],
            "cut": members[name][: data.draw(st.integers(0, max(0, len(members[name]) - 1)))],
        }.get(source)
        if content is None and name != "signature.json":
            del members[name]
        elif content is not None:
            members[name] = content
        if not members:
            break
    if _by_meaning(members) == _by_meaning(loot.members):
        return
    try:
        verdict = verified(loot, members, refit=False)
    except Exception as error:  # noqa: BLE001  # a manifest that is none is refused in a sentence
        assert type(error).__name__ == "ArchiveUnreadable"  # noqa: PT017
    else:
        is_older = members["manifest.json"] == loot.older["manifest.json"]
        assert not verdict.holds or (is_older and _by_meaning(members) == _by_meaning(loot.older))


def _by_meaning(members: dict[str, bytes]) -> dict[str, bytes]:
    """Of the signature's member counts what it says, not the line's end after it: nothing is signed there."""
    return {name: content.rstrip() if name == "signature.json" else content for name, content in members.items()}


def test_an_older_archive_is_good_by_itself_and_a_cut_one_is_not(loot: Loot) -> None:
    assert verified(loot, loot.older, refit=False).holds
    cut = {**loot.members, loot.ledger: b"".join(loot.lines[:-2])}
    _headed(cut, loot.ledger, loot.lines[:-2])
    verdict = verified(loot, cut, refit=True)
    assert [each.fault for each in verdict.findings] == [f"the open log has a record {RECORDS}, which is missing"]


def test_a_fork_that_its_author_signed_is_found_by_the_log(loot: Loot) -> None:
    lines = [*loot.lines[:2], loot.foreign[0]]
    forked = {**loot.members, loot.ledger: b"".join(lines)}
    _headed(forked, loot.ledger, lines)
    faults = {str(each.fault) for each in verified(loot, forked, refit=True).findings}
    assert faults == {f"the open log has a record {RECORDS}, which is missing"}
    others = {**loot.members, loot.ledger: b"".join([*lines, *loot.lines[3:]])}
    assert Fault.BROKEN_LINK in {each.fault for each in verified(loot, others, refit=True).findings}


def test_an_agent_of_another_network_signs_nothing_here(loot: Loot) -> None:
    """A whole chain by a key that the network's log does not have, and an archive that it signed."""
    members = asyncio.run(_strangers())
    faults = [str(each.fault) for each in verified(loot, members, refit=False).findings]
    assert any("another log" in fault for fault in faults)
    assert sum("does not prove" in fault for fault in faults) == 2


async def _strangers() -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        async with founded() as eve:
            ledger = await eve.diaries.create(name="Ledger", signed=True)
            await eve.diary.create(ledger.id, content="Paid nothing")
            await eve.export(Path(folder, "e.zip"))
            return members_of(Path(folder, "e.zip"))
