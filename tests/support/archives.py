"""Archives as tests read them, and diaries to fill them with."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import attrs

from moltnet.adapters.files.archive_candidates import Found
from moltnet.domain.archives import MANIFEST, SIGNATURE
from moltnet.domain.imports import Candidate, Supersession
from moltnet.entrypoints.container import sources
from moltnet.entrypoints.library.agent import Agent, LocalAgent
from moltnet.ports.keys import KeyPair

Change = Callable[[dict[str, bytes]], object]


def contents(path: Path, keys: KeyPair | None = None) -> set[object]:
    """Everything an archive has, whatever ids it has in this network and wherever it stands."""
    with sources.opened(path, None, (), keys) as source:
        return {_placed(each, source.diaries) for each in source.found}


def _placed(found: Found, names: tuple[str, ...]) -> object:
    if isinstance(found, Candidate):
        return attrs.evolve(found, diary=None, position=names[found.diary or 0])
    return attrs.evolve(found, diary=None) if isinstance(found, Supersession) else found


async def filled(agent: Agent) -> None:
    """Diaries of every kind: plain, signed with a removal and a replacement, and empty."""
    work = await agent.diaries.create(name="Work")
    first = await agent.diary.create(work.id, content="The deploy failed.", title="Deploy", tags=["ops"], importance=7)
    second = await agent.diary.create(work.id, content="The deploy works: größer, 価値, \U0001f600.")
    await agent.diary.update(work.id, first.id, superseded_by=second.id)
    ledger = await agent.diaries.create(name="Ledger", signed=True)
    paid = await agent.diary.create(ledger.id, content="Paid 10")
    await agent.diary.update(ledger.id, paid.id, content="Paid 11")
    wrong = await agent.diary.create(ledger.id, content="secret")
    await agent.diary.delete(ledger.id, wrong.id)
    await agent.diaries.create(name="Work")


async def logged(agent: LocalAgent) -> None:
    """Puts what is pending into the open log, as its network does once a second."""
    while await agent._context.services.transparency.extend():  # as its network, not as an agent
        pass


def changed(path: Path, change: Change, *, with_manifest: bool = False) -> Path:
    """A copy of an archive after a change of its members, by their names.

    With `with_manifest`, whoever changed it made a manifest that fits, without a signature.
    """
    members = members_of(path)
    change(members)
    copied = path.with_name(f"changed-{path.name}")
    zipped(copied, members, with_manifest=with_manifest)
    return copied


def members_of(path: Path) -> dict[str, bytes]:
    """What is in an archive, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(path: Path, members: dict[str, bytes], *, with_manifest: bool = False) -> None:
    """Writes an archive of these members, with a manifest that was made to fit, or as it is."""
    members = dict(members)
    if with_manifest:
        _refit(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    path.write_bytes(buffer.getvalue())


def read_members(archive: bytes) -> dict[str, bytes] | None:
    """What is in an archive by name; None where it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    except Exception:  # noqa: BLE001  # whatever damage does
        return None


def _refit(members: dict[str, bytes]) -> None:
    """Makes the manifest that of the members as they are."""
    manifest = json.loads(members.pop(MANIFEST))
    members.pop(SIGNATURE, None)
    for owner in (manifest, *manifest["diaries"]):
        for part in (owner.get(name) for name in ("entries", "imports", "log")):
            if part and part["file"] in members:
                content = members[part["file"]]
                digest = hashlib.sha256(content).hexdigest()
                part |= {"lines": content.count(b"\n"), "bytes": len(content), "sha256": digest}
    members[MANIFEST] = json.dumps(manifest).encode()
