"""`moltnet doctor`: checks of an installation, each with its remedy."""

import shlex
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import attrs
import click

from moltnet.domain.errors import MoltNetError
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.output import FAILED, error_text, result
from moltnet.entrypoints.container.administration import HealthCheck, health_check
from moltnet.entrypoints.settings import SECRETS, Settings, read_settings

OPEN_TO_OTHERS = 0o077
DOTENV = Path(".env")
# Beside these lies what git reads, which holds no secret: git's settings, the public key, who may sign.
_OF_FIRST_AGENT = ("first-agent/*.json", "first-agent/ssh", "first-agent/ssh/id_ed25519")


@attrs.frozen
class Finding:
    """The result of one check: its name, whether it passed, and what was found or must be done."""

    check: str
    ok: bool
    detail: str


def doctor(data_dir: Path | None, *, as_json: bool) -> None:
    """Prints the findings; exit 1 if a check failed."""
    findings = run_command(_run_checks(data_dir))
    if as_json:
        result([attrs.asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.ok else 'BAD '} {finding.check:<10} {finding.detail}")
    sys.exit(0 if all(finding.ok for finding in findings) else FAILED)


async def _run_checks(data_dir: Path | None) -> list[Finding]:
    try:
        settings = read_settings(data_dir)
    except MoltNetError as error:
        return [Finding("settings", ok=False, detail=error.detail)]
    findings = [Finding("settings", ok=True, detail="every field is readable"), _file_modes(settings)]
    return [*findings, *_mcp_alias(settings), *[finding async for finding in _parts(settings)]]


async def _parts(settings: Settings) -> AsyncIterator[Finding]:
    try:
        async with health_check(settings) as parts:
            yield await _finding("model", parts.model)
            for group in _checks(parts):
                findings = [await _finding(name, check) for name, check in group.items()]
                for finding in findings:
                    yield finding
                if not all(finding.ok for finding in findings):
                    return  # the next group depends on this one
    except MoltNetError as error:
        yield Finding("database", ok=False, detail=error_text(error))


def _checks(parts: HealthCheck) -> list[dict[str, Callable[[], Awaitable[str]]]]:
    database, ory = parts.database, parts.ory
    groups: list[dict[str, Callable[[], Awaitable[str]]]] = [
        {"database": database.server},
        {"clock": database.clock, "extension": database.extension, "schema": database.schema},
    ]
    if parts.settings.replica_url is not None:
        groups[-1]["replica"] = parts.replica
    if ory is None:
        return [*groups, {"keys": parts.keys, "serving": parts.serving, "identity": parts.identity}]
    return [
        *groups,
        {"serving": parts.serving},
        {"kratos": ory.kratos, "hydra": ory.hydra, "keto": ory.keto},
        {
            "agents": ory.schema,
            "recovery": parts.recovery,
            "tokens": ory.tokens,
            "namespaces": ory.namespaces,
            "hook": ory.hook,
        },
    ]


async def _finding(name: str, check: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(name, ok=True, detail=await check())
    except MoltNetError as error:
        return Finding(name, ok=False, detail=error_text(error))


def _mcp_alias(settings: Settings) -> list[Finding]:
    """A reminder; whether the name resolves to this server cannot be checked here."""
    if settings.mcp_alias is None:
        return []
    return [
        Finding(
            "address",
            ok=True,
            detail=f"clients of the original look for MCP at https://{settings.mcp_alias}/mcp, not at "
            f"{settings.public_url}/mcp; point that name at this server too",
        )
    ]


def _file_modes(settings: Settings) -> Finding:
    folder = settings.data_dir
    if not folder.exists():
        return Finding("files", ok=True, detail=f"{folder} does not exist yet, so there is nothing to check")
    own = [path for pattern in _OF_FIRST_AGENT for path in folder.glob(pattern)]
    secrets = [folder, *(folder / name.lower() for name in SECRETS), *own, *_environment()]
    open_to_others = [path for path in secrets if path.exists() and _is_open_to_others(path)]
    if open_to_others:
        paths = shlex.join(str(path) for path in open_to_others)
        return Finding("files", ok=False, detail=f"others can read secrets; run: chmod go= {paths}")
    return Finding("files", ok=True, detail=f"{folder} is private to its owner")


def _environment() -> list[Path]:
    """The settings file, if it contains secrets."""
    try:
        text = DOTENV.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [DOTENV] if any(name in text for name in (*SECRETS, "DATABASE_URL")) else []


def _is_open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & OPEN_TO_OTHERS)
