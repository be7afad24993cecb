"""Archives of diaries: what is exported is imported elsewhere, once, and exported alike from there."""

import asyncio
import hashlib
import json
import zipfile
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltnet.adapters.age import BadIdentity, BadRecipient, NotDecrypted
from moltnet.adapters.files.diary_archive import Draft, ExportBusy, ExportExists
from moltnet.adapters.files.paths import UnusablePath
from moltnet.domain.archives import ArchiveUnreadable, UnknownFormat
from moltnet.domain.checkpoints import COSIGNATURE
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import EntryType, NewEntry
from moltnet.domain.errors import Invalid
from moltnet.domain.imports import Candidate
from moltnet.domain.records import base64_text, record_hash, signed_bytes, time_text
from moltnet.domain.services.chains import Fault
from moltnet.entrypoints.library.agent import LocalAgent
from moltnet.entrypoints.library.archive_checks import verify_archive
from moltnet.entrypoints.library.importing import ImportStopped
from tests.support.archives import Change, changed, contents, filled, logged, read_members
from tests.support.networks import founded
from tests.support.strategies import STORABLE


@pytest.fixture
async def ada() -> AsyncIterator[LocalAgent]:
    async with founded() as agent:
        yield agent


@pytest.fixture
async def bea() -> AsyncIterator[LocalAgent]:
    """An agent of another network."""
    async with founded() as agent:
        yield agent


async def test_what_was_exported_imported_and_exported_again_is_the_same(
    ada: LocalAgent, bea: LocalAgent, tmp_path: Path
) -> None:
    await filled(ada)
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    exported = await ada.export(first)
    assert [diary.name for diary in exported.diaries] == ["Private", "Work", "Ledger", "Work"]
    verdict = verify_archive(first)
    assert verdict.findings == ()
    assert verdict.signed_by
    report = await bea.import_(first)
    assert report.problems == ()
    assert (report.imported, report.repeated, report.refused) == (6, 0, 0)
    assert len(await bea.diaries.list()) == 4
    await bea.export(second)
    assert verify_archive(second).findings == ()
    assert contents(first) == contents(second)
    brought = [each for each in contents(first) if isinstance(each, Candidate)]
    assert sum(each.origin.proof is None for each in brought) == 6
    assert sum(each.origin.proof is not None for each in brought) == 1


async def test_an_import_again_adds_nothing(ada: LocalAgent, bea: LocalAgent, tmp_path: Path) -> None:
    await filled(ada)
    path = tmp_path / "a.zip"
    await ada.export(path)
    await bea.import_(path)
    again = await bea.import_(path)
    assert (again.imported, again.repeated, again.refused) == (0, 6, 0)
    assert len(await bea.diaries.list()) == 4


ENTRIES = st.lists(
    st.builds(
        NewEntry,
        content=STORABLE.filter(lambda text: 1 <= len(text) <= 200),
        title=st.none() | STORABLE.map(lambda text: text[:50]),
        tags=st.none() | st.lists(STORABLE.map(lambda text: text[:20]), max_size=3).map(tuple),
        importance=st.integers(1, 10),
        entry_type=st.sampled_from(EntryType),
        occurred_at=st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    ),
    max_size=4,
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plain=ENTRIES, signed=ENTRIES)
def test_any_entries_come_through_two_networks(plain: list[NewEntry], signed: list[NewEntry]) -> None:
    async def through() -> None:
        with TemporaryDirectory() as folder:
            first, second = Path(folder, "first.zip"), Path(folder, "second.zip")
            async with founded() as ada, founded() as bea:
                for name, entries in {"Plain": plain, "Signed": signed}.items():
                    diary = await ada.diaries.create(name=name, signed=name == "Signed")
                    for new in entries:
                        await ada.diary.keep(diary.id, new)
                await ada.export(first)
                report = await bea.import_(first)
                await bea.export(second)
            assert report.problems == ()
            assert verify_archive(first).findings == verify_archive(second).findings == ()
            assert contents(first) == contents(second)

    asyncio.run(through())


async def test_the_diary_that_is_named_takes_everything(ada: LocalAgent, bea: LocalAgent, tmp_path: Path) -> None:
    await filled(ada)
    await ada.export(tmp_path / "a.zip")
    target = await bea.diaries.create(name="Target")
    report = await bea.import_(tmp_path / "a.zip", into=target.id)
    assert report.imported == 6
    assert {each.id for each in report.diaries} == {target.id}
    assert (await bea.diary.list(target.id))[1] == 4


async def test_a_dry_run_stores_nothing(ada: LocalAgent, bea: LocalAgent, tmp_path: Path) -> None:
    await filled(ada)
    await ada.export(tmp_path / "a.zip")
    seen: list[tuple[str, int]] = []
    report = await bea.import_(
        tmp_path / "a.zip", dry_run=True, progress=lambda name, count: seen.append((name, count))
    )
    assert (report.dry_run, report.imported) == (True, 6)
    assert sum(count for _, count in seen) == 6
    assert {name for name, _ in seen} == {"Work", "Ledger"}
    assert [diary.name for diary in await bea.diaries.list()] == ["Private"]


async def test_what_was_imported_into_its_own_network_is_there_already(ada: LocalAgent, tmp_path: Path) -> None:
    work = await ada.diaries.create(name="Work")
    await ada.diary.create(work.id, content="x")
    await ada.export(tmp_path / "a.zip", diaries=[work.id])
    assert (await ada.import_(tmp_path / "a.zip")).repeated == 1


async def test_an_entry_edited_where_it_was_imported_is_proven_no_more(
    ada: LocalAgent, bea: LocalAgent, tmp_path: Path
) -> None:
    await filled(ada)
    await ada.export(tmp_path / "a.zip")
    report = await bea.import_(tmp_path / "a.zip")
    ledger = next(each.id for each in report.diaries if each.name == "Ledger")
    assert ledger
    entries, _ = await bea.diary.list(ledger)
    await bea.diary.update(ledger, entries[0].id, content="Paid 99")
    await bea.export(tmp_path / "b.zip", diaries=[ledger])
    verdict = verify_archive(tmp_path / "b.zip")
    assert (verdict.holds, verdict.evidence) == (True, 2)
    with_records = [
        each for each in contents(tmp_path / "b.zip") if isinstance(each, Candidate) and each.new and each.origin.record
    ]
    assert len(with_records) == 1


async def test_an_archive_is_encrypted_for_its_agent_and_for_others(ada: LocalAgent, tmp_path: Path) -> None:
    pyrage = pytest.importorskip("pyrage")
    other, third = (pyrage.x25519.Identity.generate() for _ in range(2))
    (tmp_path / "other.txt").write_text(f"# created: today\n{other}\n")
    (tmp_path / "third.txt").write_text(f"{third}\n")
    path = tmp_path / "a.zip.age"
    await ada.export(path, encrypt_for=["self", str(other.to_public())])
    assert path.read_bytes().startswith(b"age-encryption.org/v1")
    assert verify_archive(path, keys=ada.keys).holds
    assert verify_archive(path, identities=[tmp_path / "other.txt"]).holds
    for identity, kind in (("third.txt", NotDecrypted), ("a.zip.age", BadIdentity)):
        with pytest.raises(kind):
            verify_archive(path, identities=[tmp_path / identity])
    damaged = tmp_path / "damaged.age"
    damaged.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(NotDecrypted):
        verify_archive(damaged, keys=ada.keys)
    for recipient in ("age1x", "ssh-rsa x", "nonsense"):
        with pytest.raises(BadRecipient):
            await ada.export(tmp_path / "never.zip", encrypt_for=[recipient])
    assert not (tmp_path / "never.zip").exists()


async def test_an_interrupted_export_goes_on(ada: LocalAgent, tmp_path: Path) -> None:
    diary = await ada.diaries.create(name="Long")
    for number in range(230):
        await ada.diary.create(diary.id, content=f"entry {number}")
    ledger = await ada.diaries.create(name="Ledger", signed=True)
    for number in range(3):
        await ada.diary.create(ledger.id, content=f"record {number}")

    class Interrupted(Exception):
        pass

    def interrupt(name: str, count: int) -> None:
        if name == "Long" and count:
            raise Interrupted

    path = tmp_path / "a.zip"
    with pytest.raises(Interrupted):
        await ada.export(path, progress=interrupt)
    [part] = (tmp_path / ".a.zip.part").glob(f"diaries-{diary.id}*")
    with part.open("ab") as file:
        file.write(b'{"half": ')
    for name in ("archive.zip", "archive.zip.age", "log-agent.jsonl"):  # of one that was killed at its end
        (tmp_path / ".a.zip.part" / name).write_bytes(b"half")
    await ada.diary.create(diary.id, content="newer")
    entries, _ = await ada.diary.list(diary.id, limit=1, offset=5)
    await ada.diary.delete(diary.id, entries[0].id)
    seen: list[tuple[str, int]] = []
    await ada.export(path, progress=lambda name, count: seen.append((name, count)))
    assert ("Long", 100) in seen  # what was there is not read again
    assert not (tmp_path / ".a.zip.part").exists()
    verdict = verify_archive(path)
    assert (verdict.findings, verdict.entries, verdict.records) == ((), 233, 3)
    with pytest.raises(ExportExists):
        await ada.export(path)


async def test_a_removed_entry_is_counted_among_the_records_alone(ada: LocalAgent, tmp_path: Path) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    first, _ = [await ada.diary.create(diary.id, content=text) for text in ("one", "two")]
    await ada.diary.delete(diary.id, first.id)
    await ada.export(tmp_path / "a.zip")
    verdict = verify_archive(tmp_path / "a.zip")
    assert (verdict.findings, verdict.entries, verdict.records) == ((), 1, 3)


async def test_two_exports_into_one_file_do_not_meet(ada: LocalAgent, tmp_path: Path) -> None:
    async def second(*_: object) -> None:
        with pytest.raises(ExportBusy):
            await ada.export(tmp_path / "a.zip")

    with Draft.opened(tmp_path / "a.zip", b"{}"):
        await second()


async def test_an_import_that_stops_says_how_far_it_came(ada: LocalAgent, bea: LocalAgent, tmp_path: Path) -> None:
    await filled(ada)
    await ada.export(tmp_path / "a.zip")
    signed = await bea.diaries.create(name="Signed", signed=True)
    with pytest.raises(ImportStopped, match="signed") as stopped:
        await bea.import_(tmp_path / "a.zip", into=signed.id)
    assert stopped.value.report.imported == 0


async def test_a_record_of_a_key_that_was_given_up_before_is_found_in_the_archive(
    ada: LocalAgent, tmp_path: Path
) -> None:
    ledger = await ada.diaries.create(name="Ledger", signed=True)
    await ada.diary.create(ledger.id, content="Paid 10")
    former = ada.keys
    assert former
    await ada.rotate_key()
    await logged(ada)
    await ada.export(tmp_path / "a.zip", diaries=[ledger.id])
    assert verify_archive(tmp_path / "a.zip").holds

    def act(members: dict[str, bytes]) -> None:
        line = json.loads(members[f"diaries/{ledger.id}.jsonl"])
        record = json.loads(b64decode(line["payload"]))
        record["createdAt"] = time_text(datetime.fromisoformat(record["createdAt"]) + timedelta(seconds=400))
        payload = rfc8785.dumps(record)
        line |= {"payload": base64_text(payload), "hash": record_hash(payload)}
        line["signature"] = former.sign(signed_bytes(payload))
        members[f"diaries/{ledger.id}.jsonl"] = json.dumps(line).encode() + b"\n"
        manifest = json.loads(members["manifest.json"])
        manifest["diaries"][0]["head"]["hash"] = line["hash"]
        members["manifest.json"] = json.dumps(manifest).encode()

    verdict = verify_archive(changed(tmp_path / "a.zip", act, with_manifest=True))
    assert [each.fault for each in verdict.findings] == [Fault.RETIRED_KEY]


async def test_the_log_of_the_network_proves_whose_the_keys_are(
    ada: LocalAgent, bea: LocalAgent, tmp_path: Path
) -> None:
    path, again = tmp_path / "a.zip", tmp_path / "b.zip"
    ledger = await ada.diaries.create(name="Ledger", signed=True, visibility=Visibility.PUBLIC)
    for text in ("Paid 10", "Paid 11"):
        await ada.diary.create(ledger.id, content=text)
    await logged(ada)
    await ada.rotate_key()
    await ada.diary.create(ledger.id, content="Paid 12")
    await logged(ada)
    await ada.export(path)
    key, other = (await ada.log.follow()).key, (await bea.log.follow()).key
    verdict = verify_archive(path, network_key=key)
    assert (verdict.findings, verdict.logs) == ((), (key,))
    assert verdict.proven == 5  # the agent's key; both keys of the diary, its publication, and a head
    faults = {each.fault for each in verify_archive(path, network_key=other).findings}
    assert any("another log" in fault for fault in faults)
    assert any("does not prove" in fault for fault in faults)
    assert not verify_archive(path, network_key=key, witnesses=[attrs.evolve(other, kind=COSIGNATURE)]).holds
    report = await bea.import_(path)
    assert (report.imported, report.problems) == (3, ())
    assert (await bea.import_(path)).repeated == 3
    await bea.export(again)
    kept = verify_archive(again, network_key=other)
    assert (kept.findings, set(kept.logs)) == ((), {key, other})


def _leaf(change: Callable[[dict[str, str]], object]) -> Change:
    def act(members: dict[str, bytes]) -> None:
        (name,) = [each for each in members if each.startswith("log/") and each != "log/agent.jsonl"]
        first, *others = members[name].splitlines(keepends=True)
        line = json.loads(first)
        change(line)
        members[name] = b"".join([json.dumps(line).encode() + b"\n", *others])

    return act


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.update(leaf=line["leaf"].replace("2026", "2025")),
        lambda line: line.update(leaf=line["leaf"] + " "),
        lambda line: line.update(leaf="\ud800"),
        lambda line: line.update(proof=line["proof"].replace("index 1", "index 0")),
        lambda line: line.update(proof=line["proof"].replace("\n\n", "\n", 1)),
        lambda line: line.update(proof="x" * 20_000),
        lambda line: line.update(key=line["key"][:-4] + "AAA="),
        lambda line: line.pop("proof"),
    ],
)
async def test_a_leaf_that_was_changed_is_found_and_is_not_imported(
    an_archive: bytes, bea: LocalAgent, tmp_path: Path, change: Callable[[dict[str, str]], object]
) -> None:
    (tmp_path / "a.zip").write_bytes(an_archive)
    broken = changed(tmp_path / "a.zip", _leaf(change), with_manifest=True)
    assert [each.position.partition(":")[0][:4] for each in verify_archive(broken).findings] == ["log/"]
    report = await bea.import_(broken)
    assert (report.imported, report.refused) == (6, 1)


def _line(number: int, change: Callable[[bytes], bytes], prefix: str = "diaries/") -> Change:
    def act(members: dict[str, bytes]) -> None:
        name = max((each for each in members if each.startswith(prefix)), key=lambda each: members[each].count(b"\n"))
        lines = members[name].splitlines(keepends=True)
        lines[number] = change(lines[number])
        members[name] = b"".join(lines)

    return act


def _swap(members: dict[str, bytes]) -> None:
    name = next(each for each in members if members[each].count(b"\n") > 1 and each.startswith("diaries/"))
    members[name] = b"".join(members[name].splitlines(keepends=True)[::-1])


def _resigned(members: dict[str, bytes]) -> None:
    members["manifest.json"] = members["manifest.json"].replace(b'"Work"', b'"Wurk"')


@pytest.mark.parametrize(
    "change",
    [
        _line(0, lambda line: line.replace(b"Paid 1", b"Paid 2")),
        _line(0, lambda _: b""),
        _line(0, lambda line: line * 2),
        _line(0, lambda line: line[:-5]),
        _line(-1, lambda line: line[:-1]),
        _line(0, lambda _: b'{"sequence": 7}\n'),
        _swap,
        _resigned,
        lambda members: members.pop(next(each for each in members if each.startswith("diaries/"))),
        lambda members: members.update({"signature.json": b"{}"}),
    ],
)
def test_every_change_is_found_and_what_is_good_is_read(an_archive: bytes, tmp_path: Path, change: Change) -> None:
    (tmp_path / "a.zip").write_bytes(an_archive)
    broken = changed(tmp_path / "a.zip", change)
    assert not verify_archive(broken).holds
    assert sum(isinstance(each, Candidate) for each in contents(broken)) >= 2


async def test_of_a_damaged_archive_what_is_good_is_imported(
    an_archive: bytes, bea: LocalAgent, tmp_path: Path
) -> None:
    (tmp_path / "a.zip").write_bytes(an_archive)
    report = await bea.import_(changed(tmp_path / "a.zip", _line(0, lambda line: line.replace(b"Paid 1", b"Paid 2"))))
    assert (report.imported, report.refused) == (5, 2)
    assert {each.reason for each in report.problems} == {
        "The content is not the one whose SHA-256 the record holds as contentHash",
        "its lines are not those of the manifest: some were changed, added, moved or left out",
    }


def test_an_older_state_of_a_chain_is_found_though_the_manifest_fits_its_lines(
    an_archive: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a.zip").write_bytes(an_archive)

    def act(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        diary = next(each for each in manifest["diaries"] if each["signed"])
        name = diary["entries"]["file"]
        members[name] = b"".join(members[name].splitlines(keepends=True)[:2])
        diary["entries"] |= {
            "lines": 2,
            "bytes": len(members[name]),
            "sha256": hashlib.sha256(members[name]).hexdigest(),
        }
        members["manifest.json"] = json.dumps(manifest).encode()
        del members["signature.json"]

    verdict = verify_archive(changed(tmp_path / "a.zip", act))
    assert verdict.signed_by is None
    assert [each.fault for each in verdict.findings] == ["its last record is not the one that the manifest names"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_goes_unnoticed(an_archive: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(an_archive) - 1))
    flipped = bytearray(an_archive)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    before, after = read_members(an_archive), read_members(bytes(flipped))
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.zip")
        path.write_bytes(flipped)
        try:
            holds = verify_archive(path).holds
        except Invalid:
            holds = False
    assert not holds or before == after  # a bit of the ZIP's own that says nothing, such as a time


@pytest.fixture(scope="module")
def an_archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("archive") / "a.zip"

    async def write() -> None:
        async with founded() as ada:
            await filled(ada)
            await ada.export(path)

    asyncio.run(write())
    return path.read_bytes()


def _crowded(count: int, *, large: bool = False) -> bytes:
    """The directory of a ZIP file with so many members, and its end; a `large` one has the size in another record."""
    directory = (b"PK\1\2".ljust(28, b"\0") + b"\1".ljust(18, b"\0") + b"x") * count
    size = len(directory).to_bytes(8, "little")
    if not large:
        return directory + b"PK\5\6".ljust(12, b"\0") + size[:4] + bytes(6)
    record = b"PK\6\6".ljust(40, b"\0") + size + bytes(8)
    locator = b"PK\6\7".ljust(8, b"\0") + len(directory).to_bytes(8, "little") + bytes(4)
    return directory + record + locator + b"PK\5\6".ljust(12, b"\0") + b"\xff" * 4 + bytes(6)


def test_a_file_that_is_named_twice_is_refused(an_archive: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(an_archive)

    def act(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        manifest["diaries"] *= 1000
        members["manifest.json"] = json.dumps(manifest).encode()

    with pytest.raises(ArchiveUnreadable, match="more than once"):
        verify_archive(changed(tmp_path / "a.zip", act))


async def test_names_that_lead_elsewhere_write_nothing(an_archive: bytes, bea: LocalAgent, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(an_archive)
    names = ["../../outside", "/tmp/outside", "C:\\outside", "x" * 5000]

    def act(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        for name, part in zip(names, (each["entries"] for each in manifest["diaries"]), strict=True):
            members[name] = members.pop(part["file"])
            part["file"] = name
        members["manifest.json"] = json.dumps(manifest).encode()

    path = changed(tmp_path / "a.zip", act, with_manifest=True)
    assert verify_archive(path).holds
    assert (await bea.import_(path)).imported == 6
    assert names_in(tmp_path) == ["a.zip", "changed-a.zip"]


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no ZIP file"),
        (b"PK\x03\x04 cut", "no ZIP file"),
        ({"other.json": b"{}"}, "it has no manifest.json"),
        ({"manifest.json": b"{"}, "damaged"),
        ({"manifest.json": b"[" * 100_000}, "damaged"),
        ({"manifest.json": b'{"format": "other"}'}, "another format"),
        ({"manifest.json": b'{"format": "moltnet-archive", "version": 2}'}, "version 2"),
        ({"manifest.json": b'{"format": "moltnet-archive", "version": 1, "diaries": 7}'}, "damaged"),
        ({"manifest.json": b" " * (16 * 2**20 + 1)}, "more than"),
        ({"manifest.json": b"{}", "bomb": bytes(80 * 2**20)}, "no archive does"),
        (_crowded(400_000), "more files than any archive"),
        (_crowded(400_000, large=True), "more files than any archive"),
    ],
)
def test_what_is_no_archive_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes | dict[str, bytes], sentence: str
) -> None:
    path = tmp_path / "a.zip"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in content.items():
                archive.writestr(name, text)
    with pytest.raises(ArchiveUnreadable, match=sentence):
        verify_archive(path)


async def test_an_import_reports_files_that_are_missing_or_cannot_be_read(bea: LocalAgent, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.zip", tmp_path / "missing"):
        with pytest.raises((UnusablePath, UnknownFormat)):
            await bea.import_(path)
    with pytest.raises(UnusablePath):
        verify_archive(tmp_path / "missing.zip")
