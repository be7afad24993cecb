"""Makes a small network and stores it as data that later versions must open.

`python -m tests.support.release_data NAME`, run at each release by its code, leaves `NAME.backup` and `NAME.json` in
`tests/data/releases`; the latter has the agents' credentials and what must be found.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data" / "releases"
JSON = {"Content-Type": "application/json"}
PASSPHRASE = "passphrase of released data"
MEMORIES: tuple[tuple[str, list[str]], ...] = (
    ("The deploy failed because the callback URL still pointed at staging.", ["deploy", "oauth"]),
    ("Grüße aus Zürich: der Kurier kommt am 3. März.", ["post"]),
    (
        "Heron at the harbour. " + " ".join(f"Note {number}: the tide was at {number} metres." for number in range(60)),
        [],
    ),
)


def moltnet(*arguments: str, code: Path | None = None) -> str:
    """What a command prints."""
    environment = {"PYTHONPATH": str(code)} if code else {}
    command = ["env", *(f"{name}={value}" for name, value in environment.items()), sys.executable, "-m", "moltnet"]
    return subprocess.run([*command, *arguments], check=True, stdout=subprocess.PIPE, text=True, cwd="/").stdout


def make(name: str, code: Path | None) -> None:
    """Writes both files."""
    DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data, passphrase = f"{folder}/data", Path(folder) / "passphrase"
        passphrase.write_text(PASSPHRASE)
        agents = json.loads(moltnet("genesis", "--count", "2", "--data", data, code=code))
        environment = ["env", f"PYTHONPATH={code}"] if code else []
        server = subprocess.Popen(
            [*environment, sys.executable, "-m", "moltnet", "serve", "--port", "0", "--data", data],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd="/",
        )  # fmt: skip
        assert server.stdout
        url = server.stdout.readline().split()[-1]
        try:
            expected = _fill(url, agents)
        finally:
            server.terminate()
            server.wait()
        file = DATA / f"{name}.backup"
        file.unlink(missing_ok=True)
        moltnet("backup", str(file), "--data", data, "--passphrase-file", str(passphrase))
        (DATA / f"{name}.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


def _fill(url: str, agents: list[dict[str, str]]) -> dict[str, Any]:
    owner, reader = agents
    diary = _ask(url, owner, "POST", "/diaries", {"name": "Field notes"})["id"]
    entries = f"/diaries/{diary}/entries"
    for content, tags in MEMORIES:
        _ask(url, owner, "POST", entries, {"content": content, "tags": tags})
    share = _ask(url, owner, "POST", f"/diaries/{diary}/share", {"fingerprint": reader["fingerprint"]})
    _ask(url, reader, "POST", f"/diaries/invitations/{share['id']}/accept")
    _ask(url, owner, "POST", "/crypto/signing-requests", {"message": "pay 3 herons"})
    public = _ask(url, owner, "POST", "/diaries", {"name": "Open", "visibility": "public"})["id"]
    _ask(url, owner, "POST", f"/diaries/{public}/entries", {"content": "Herons nest early this year."})
    names = ("identityId", "fingerprint", "clientId", "clientSecret")
    return {"agents": [{name: agent[name] for name in names} for agent in agents], "diary": diary, "public": public}


def _ask(url: str, agent: dict[str, str], method: str, path: str, body: object = None) -> Any:
    headers = {"Authorization": f"Bearer {agent['accessToken']}", **({} if body is None else JSON)}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, headers=headers, method=method)  # our own server
    with urllib.request.urlopen(request, timeout=60) as answer:  # as above
        return json.loads(answer.read())


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)  # a name, and whose code
