"""What MCP clients read to find this network (docs/reference/client.md, "MCP client configuration")."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from moltnet.adapters.files.credentials import to_json
from moltnet.adapters.files.paths import read_text, write_atomically
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Invalid

FILE = ".mcp.json"
SERVERS, NAME = "mcpServers", "moltnet"
GIT_S = 5.0
_NOT_IGNORED = 1  # 0: ignored; 128: no work tree


class ConfigurationUnreadable(Invalid):
    """A configuration that belongs to other programs too is not JSON: it is not written over."""

    code = "CONFIGURATION_UNREADABLE"

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a JSON object; mend it or move it away, then run 'moltnet mcp-config' again")


def server_entry(api_url: str, credentials: ClientSecret) -> dict[str, object]:
    """How an MCP client reaches the network with the two credential headers."""
    headers = {"X-Client-Id": str(credentials.client_id), "X-Client-Secret": credentials.secret}
    return {"type": "http", "url": f"{api_url}/mcp", "headers": headers}


def configuration(entry: Mapping[str, object]) -> dict[str, object]:
    """A whole configuration with this one server."""
    return {SERVERS: {NAME: entry}}


def write_configuration(folder: Path, entry: Mapping[str, object]) -> Path:
    """Sets our server in a folder's `.mcp.json` and leaves everything else there; answers where.

    Raises ConfigurationUnreadable and writes nothing when what is there cannot be stored.
    """
    path = folder / FILE
    document = _read(path)
    servers = document.get(SERVERS, {})
    if not isinstance(servers, dict):
        raise ConfigurationUnreadable(path)
    write_atomically(path, to_json({**document, SERVERS: {**servers, NAME: entry}}))
    return path


def is_visible_to_git(path: Path) -> bool:
    """Whether a file lies in a git work tree that does not ignore it; False where there is no git."""
    git = shutil.which("git")
    if git is None:
        return False
    # A work tree may name a program that watches it; asking about one file is not a reason to run that.
    asked = [git, "-c", "core.fsmonitor=false", "check-ignore", "--quiet", "--", path.name]
    try:
        ended = subprocess.run(asked, cwd=path.absolute().parent, capture_output=True, check=False, timeout=GIT_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == _NOT_IGNORED


def renew_configuration(path: Path, credentials: ClientSecret) -> bool:
    """Puts a fresh secret where the client's former one stands; says whether there was one. Raises as above."""
    document = _read(path)
    servers = document.get(SERVERS)
    ours = servers.get(NAME) if isinstance(servers, dict) else None
    headers = ours.get("headers") if isinstance(ours, dict) else None
    if not isinstance(headers, dict) or headers.get("X-Client-Id") != str(credentials.client_id):
        return False
    headers["X-Client-Secret"] = credentials.secret
    write_atomically(path, to_json(document))
    return True


def _read(path: Path) -> dict[str, object]:
    text = read_text(path)
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationUnreadable(path) from error
    if not isinstance(found, dict):
        raise ConfigurationUnreadable(path)
    return found
