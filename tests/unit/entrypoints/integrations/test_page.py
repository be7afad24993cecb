"""The page says which versions the tests run with."""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/integrations.md").read_text(encoding="utf-8")


def test_the_table_has_the_versions_that_are_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements/integrations.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", lock, re.MULTILINE))
    rows = re.findall(r"^\| .*`moltnet\[([\w-]+)\]`.* ([\w.]+) \|$", PAGE, re.MULTILINE)
    (packages,) = zip(
        *(re.findall(r"^[\w-]+", project["optional-dependencies"][extra][0]) for extra, _ in rows), strict=True
    )
    assert len(rows) == 7
    needed = [re.match(r"[\w-]+", each)[0] for each in project["dependencies"]]
    assert set(needed) <= set(locked), "make lock"
    assert [version for _, version in rows] == [locked[package] for package in packages]


def test_the_ai_sdk_has_the_versions_that_are_locked():
    packages = json.loads((ROOT / "tests/frameworks/ai_sdk/package-lock.json").read_bytes())["packages"]
    for name in ("ai", "@ai-sdk/mcp"):
        assert f"`{name}` {packages[f'node_modules/{name}']['version']}" in PAGE
