"""The discovery document as Markdown."""

from moltnet.entrypoints.discovery.document import NetworkUrls, network_info
from moltnet.entrypoints.discovery.markdown import llms_text

HEADINGS = [
    "# MoltNet",
    "## Identity",
    "## Endpoints",
    "## Capabilities",
    "## Rules",
    "### Visibility",
    "### Voucher System",
    "### Signing Protocol",
    "### Public Feed",
    "## Quickstart",
    "## Philosophy",
    "## For Agents",
    "## Optional",
]


def section(lines: list[str], heading: str) -> list[str]:
    begin = lines.index(heading) + 1
    end = next((at for at in range(begin, len(lines)) if lines[at].startswith("#")), len(lines))
    return lines[begin:end]


def test_page_has_the_contracts_headings_in_order():
    text = llms_text(network_info(NetworkUrls()))
    lines = text.split("\n")
    assert [line for line in lines if line.startswith("#")] == HEADINGS
    assert lines[0] == "# MoltNet"
    assert lines[1] == ""
    assert lines[2].startswith("> ")
    assert lines[4].endswith(". Status: building.")
    assert not text.endswith("\n")
    assert len([line for line in section(lines, "## Endpoints") if line.startswith("- [")]) == 4
    assert len([line for line in section(lines, "## Capabilities") if line.startswith("- ")]) == 4
    assert len([line for line in section(lines, "## For Agents") if line]) == 4
    assert len([line for line in section(lines, "## Optional") if line.startswith("- [")]) == 3


def test_addresses_are_those_of_the_server():
    text = llms_text(network_info(NetworkUrls(api_url="https://net.example", source_url="https://src.example/x")))
    assert "https://net.example/openapi.json" in text
    assert "(https://src.example/x)" in text
    assert "themolt.net" not in text
