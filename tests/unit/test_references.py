"""Every reference in code and documentation leads somewhere: to a page and heading here, an ADR, or a standard."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ADRS = {int(page.name[:4]): page for page in sorted((DOCS / "adr").glob("*.md"))}
SOURCES = [
    path
    for top in ("moltnet", "tests", "bench", "docs")
    for path in sorted((ROOT / top).rglob("*"))
    if path.suffix in {".py", ".sql", ".md"} and path != Path(__file__)
] + [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "Makefile", "pyproject.toml")
]
STANDARDS = r"(?:RFC \d+|ECMA-262|WHATWG HTML|Unicode|JSON-RPC 2\.0|OpenID(?: Connect)? Discovery(?: 1\.0)?)"
# A page, and the headings that are named behind it: `docs/reference/http.md, "Problems" and "Outages"`.
PAGE = re.compile(r'(?<![\w/.{*-])((?:[a-z-]+/)*[a-z-]+\.md)\b((?:(?:,| and)? "[A-Z][^"]*"(?=[ ,.:;)]|$))*)')
# A path in backticks, shell patterns included. ADRs are history, and may name what is gone.
PATH = re.compile(r"`((?:moltnet|tests|bench|deploy)/[\w./*-]*)(?:::\w+)?`")
# Most files cite nothing, and need not be read for each kind of citation.
CITING = re.compile(r"ADR-|ecision|hazard|§|\.md")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


@cache
def headings(page: Path) -> tuple[str, ...]:
    return tuple(re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE))


def anchors(page: Path) -> set[str]:
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}


def found(name: str, beside: Path) -> Path | None:
    places = (ROOT, DOCS, DOCS / "reference", beside)
    return next((place / name for place in places if (place / name).exists()), None)


def dangling(text: str, beside: Path = ROOT) -> Iterator[str]:
    """What a text cites and is not there; `beside` is the folder of the file."""
    if not CITING.search(text):
        return
    line = re.sub(r"\s*\n[ \t]*(?:#:?|--)?[ \t]*", " ", text)
    yield from (f"ADR-{number}" for number in re.findall(r"ADR-(\d+)", line) if int(number) not in ADRS)
    yield from re.findall(r"\b[Dd]ecisions? \d+|\bhazard H\d+", line)
    for section in re.finditer("§", line):
        before = line[max(0, section.start() - 60) : section.start()]
        if not re.search(STANDARDS + r'[^()"]*$', before):
            yield before[-20:] + line[section.start() : section.end() + 5]
    for name, named in PAGE.findall(line):
        if not (page := found(name, beside)):
            yield name
        else:
            yield from (f'{name}, "{one}"' for one in re.findall(r'"([^"]+)"', named) if one not in headings(page))


def missing_paths(text: str) -> list[str]:
    """Paths that a Markdown page names and the repository does not have."""
    return [path for path in PATH.findall(text) if not any(ROOT.glob(path))]


def broken_links(text: str, beside: Path) -> Iterator[str]:
    """Links of a Markdown page to files and headings that are not there."""
    for path, anchor in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        target = (beside / path) if path else None
        if target and not target.exists():
            yield path
        elif anchor and target and anchor not in anchors(target):
            yield f"{path}#{anchor}"


def test_references_lead_somewhere() -> None:
    wrong = {}
    for path in SOURCES:
        text = path.read_text()
        links = broken_links(text, path.parent) if path.suffix == ".md" else ()
        gone = missing_paths(text) if path.suffix == ".md" and path not in ADRS.values() else ()
        if found_wrong := [*dangling(text, path.parent), *links, *gone]:
            wrong[str(path.relative_to(ROOT))] = found_wrong
    assert wrong == {}


@pytest.mark.parametrize(
    "text",
    [
        "as in ADR-0 of",
        "(decision 12)",
        "hazard H6",
        "see rest.md, for this",
        'see docs/reference/http.md, "No such heading".',
        '# see docs/reference/http.md, "Problems"\n    # and "No such heading".',
        "shown in §1.2",
        "(RFC 9110) and §3",
    ],
)
def test_dangling_reference_is_found(text: str) -> None:
    assert list(dangling(text))


def test_broken_link_is_found() -> None:
    assert list(broken_links("[a](no-such.md), [b](reference/http.md#no-such)", DOCS)) == [
        "no-such.md",
        "reference/http.md#no-such",
    ]


def test_missing_path_is_found() -> None:
    assert missing_paths("`moltnet/domain/errors.py`, `moltnet/no_such.py` and `tests/contract/test_absent*.py`") == [
        "moltnet/no_such.py",
        "tests/contract/test_absent*.py",
    ]


def test_adrs_are_numbered_one_after_the_other() -> None:
    numbers = sorted(int(page.name[:4]) for page in (DOCS / "adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_adr_states_number_date_and_status() -> None:
    for number, page in ADRS.items():
        head = "\n".join(page.read_text().split("\n")[:5])
        assert re.fullmatch(
            rf"# {number}\. .+\n\n- Date: \d{{4}}-\d\d-\d\d\n- Status: accepted(?:, superseded in part)?\n"
            r"- Superseded-by: (?:none|ADR-\d+.*)",
            head,
        ), page
