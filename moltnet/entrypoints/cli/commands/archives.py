"""`moltnet export`, `moltnet import`: diaries in files."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from moltnet.domain.archives import Exported, ImportFormat, Progress
from moltnet.domain.checkpoints import VerifierKey
from moltnet.domain.errors import MoltNetError
from moltnet.domain.imports import ImportReport
from moltnet.entrypoints.cli.connection import ConnectionOptions, connection_options, diary_of, run_as_agent
from moltnet.entrypoints.cli.options import Command, NotCarriedOut
from moltnet.entrypoints.cli.output import FAILED
from moltnet.entrypoints.cli.tables import printable
from moltnet.entrypoints.cli.values import DIARY, DiaryRef, OneOf
from moltnet.entrypoints.library.agent import Agent

SHOWN_MAX = 20
identity_option = click.option(
    "--identity",
    "identities",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a private key of age or SSH that decrypts it; default your own.",
)
network_key_option = click.option(
    "--network-key", help="The key of a network's log, as 'log show' prints it, that must prove an archive's keys."
)


@click.command(cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--diary-id", "refs", type=DIARY, multiple=True, help="Only this diary, id or name; several times.")
@click.option("--encrypt", is_flag=True, help="Encrypt it, so that only you can read it.")
@click.option("--recipient", "recipients", multiple=True, help="Encrypt it for this key: age1…, or ssh-ed25519 ….")
@connection_options
def export(
    connection: ConnectionOptions, file: Path, refs: tuple[DiaryRef, ...], *, encrypt: bool, recipients: tuple[str, ...]
) -> None:
    """Write your diaries into one file that other networks take in.

    An export that was interrupted goes on when the same command is given again.
    """
    keys = (*(("self",) if encrypt else ()), *recipients)

    async def act(agent: Agent) -> Exported:
        chosen = [await diary_of(connection, agent, ref) for ref in refs] or None
        with _progress(connection) as progress:
            return await agent.export(file, diaries=chosen, encrypt_for=keys, progress=progress)

    exported = run_as_agent(connection, act)
    connection.show(_exported(exported), _exported_text)


@click.command(cls=Command, name="import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--diary-id", "into", type=DIARY, help="Into this diary, id or name; default those of the same names.")
@click.option("--format", "source_format", type=OneOf(ImportFormat), help="What it is; default what it looks like.")
@click.option("--dry-run", is_flag=True, help="Read it, and store nothing.")
@identity_option
@connection_options
def import_(
    connection: ConnectionOptions,
    path: Path,
    into: DiaryRef | None,
    source_format: ImportFormat | None,
    identities: tuple[Path, ...],
    *,
    dry_run: bool,
) -> None:
    """Take in an archive, or what another program has; nothing twice.

    The exit status is 1 if something could not be imported; the rest was.
    """

    async def act(agent: Agent) -> ImportReport:
        target = None if into is None else await diary_of(connection, agent, into)
        with _progress(connection) as progress:
            return await agent.import_(
                path,
                into=target,
                source_format=source_format,
                identities=identities,
                dry_run=dry_run,
                progress=progress,
            )

    try:
        report = run_as_agent(connection, act)
    except MoltNetError as error:
        partial: ImportReport | None = getattr(error, "report", None)
        if partial is not None:
            connection.show(_reported(partial), _report_text)
        raise
    connection.show(_reported(report), _report_text)
    if report.refused:
        sys.exit(FAILED)


def is_archive(path: Path) -> bool:
    """Whether a name is that of an archive that `export` wrote."""
    from moltnet.entrypoints.container import archives  # noqa: PLC0415  # quick help

    return path.is_file() and os.access(path, os.R_OK) and archives.is_archive(path)


def verify_file(
    connection: ConnectionOptions,
    path: Path,
    identities: tuple[Path, ...],
    network_key: str | None,
    witnesses: tuple[str, ...],
) -> None:
    """Shows whether an archive is as it was exported; exits with 1 where it is not."""
    from moltnet.entrypoints.library.archive_checks import verify_archive  # noqa: PLC0415  # quick help

    if witnesses and network_key is None:
        raise NotCarriedOut("--witness needs --network-key, the key of the log that the witness signed")
    try:
        keys = connection.keys()
    except MoltNetError:
        keys = None  # needed for an encrypted one alone
    verdict = verify_archive(
        path,
        identities=identities,
        keys=keys,
        network_key=None if network_key is None else VerifierKey.parse(network_key),
        witnesses=[VerifierKey.parse(each) for each in witnesses],
    )
    shown = {
        "holds": verdict.holds,
        "signedBy": verdict.signed_by and str(verdict.signed_by),
        "network": verdict.manifest.network,
        "createdAt": verdict.manifest.created_at.isoformat(),
        "diaries": len(verdict.manifest.diaries),
        "entries": verdict.entries,
        "records": verdict.records,
        "evidence": verdict.evidence,
        "logs": [key.text for key in verdict.logs],
        "proven": verdict.proven,
        "findings": [{"position": each.position, "fault": str(each.fault)} for each in verdict.findings],
    }
    connection.show(shown, _verdict_text)
    if not verdict.holds:
        sys.exit(FAILED)


@contextmanager
def _progress(connection: ConnectionOptions) -> Iterator[Progress]:
    """A counter on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty() or connection.names_json:
        yield lambda _, __: None
        return
    from rich.console import Console  # noqa: PLC0415  # quick help
    from rich.progress import Progress as Bar  # noqa: PLC0415
    from rich.progress import SpinnerColumn, TextColumn  # noqa: PLC0415

    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TextColumn("{task.completed:,.0f}")
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def show(name: str, count: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(printable(name), total=None)
            bar.advance(tasks[name], count)

        yield show


def _exported(exported: Exported) -> dict[str, object]:
    diaries = [
        {"id": str(each.id), "name": each.name, "signed": each.signed, "lines": each.entries.lines}
        for each in exported.diaries
    ]
    return {"file": str(exported.path), "bytes": exported.size, "diaries": diaries}


def _exported_text(shown: dict[str, Any]) -> str:
    lines = [
        f"{each['name']}: {each['lines']} {'records' if each['signed'] else 'entries'}" for each in shown["diaries"]
    ]
    return "\n".join(map(printable, [*lines, f"{shown['file']}: {shown['bytes']:,} bytes"]))


def _reported(report: ImportReport) -> dict[str, object]:
    return {
        "format": report.format,
        "dryRun": report.dry_run,
        "imported": report.imported,
        "repeated": report.repeated,
        "refused": report.refused,
        "diaries": [{"name": each.name, "id": each.id and str(each.id)} for each in report.diaries],
        "problems": [{"position": each.position, "reason": each.reason} for each in report.problems],
    }


def _report_text(shown: dict[str, Any]) -> str:
    problems = [f"{each['position']}: {each['reason']}" for each in shown["problems"][:SHOWN_MAX]]
    if shown["refused"] > len(problems):
        problems.append(f"… and {shown['refused'] - len(problems)} more: --json shows them")
    done = "would be imported" if shown["dryRun"] else "imported"
    counts = [f"{shown['imported']} {done}", f"{shown['repeated']} were here before", f"{shown['refused']} refused"]
    names = ", ".join(dict.fromkeys(each["name"] for each in shown["diaries"]))
    return "\n".join(map(printable, [*problems, f"{', '.join(counts)}; diaries: {names}"]))


def _verdict_text(shown: dict[str, Any]) -> str:
    lines = [f"{each['position']}: {each['fault']}" for each in shown["findings"]]
    signed = f"signed by {shown['signedBy']}" if shown["signedBy"] else "not signed as a whole"
    counts = f"{shown['diaries']} diaries, {shown['entries']} entries, {shown['records']} records"
    state = "Whole" if shown["holds"] else "NOT whole"
    lines.append(f"{state}: {counts}, {signed}, of {shown['network']}")
    lines += [f"{shown['proven']} leaves are proven, in the log of {key}" for key in shown["logs"][:1]]
    return "\n".join(map(printable, lines))
