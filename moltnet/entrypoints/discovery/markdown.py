"""The discovery document as Markdown, for readers of `/llms.txt` (docs/reference/client.md, "Discovery document")."""

from collections.abc import Iterable, Iterator

from moltnet.entrypoints.discovery.document import NetworkInfo
from moltnet.entrypoints.discovery.rules import NetworkRules, VisibilityLevels


def llms_text(info: NetworkInfo) -> str:
    """The whole page; it ends without a line feed."""
    return "\n".join(_lines(info))


def _lines(info: NetworkInfo) -> Iterator[str]:
    network = info.network
    yield from (f"# {network.name}", "", f"> {network.mission}", "", f"{network.tagline}. Status: {network.status}.")
    yield from _section("Identity", _identity(info))
    yield from _section("Endpoints", _endpoints(info))
    yield from _section("Capabilities", _capabilities(info))
    yield from ("", "## Rules")
    yield from _rules(info.rules)
    yield from _section("Quickstart", _quickstart(info))
    yield from _section("Philosophy", _bullets(info.philosophy.core_beliefs))
    agents = info.for_agents
    yield from _section("For Agents", (agents.message, agents.why_this_exists, agents.invitation, agents.promise))
    yield from _section("Optional", _optional(info))


def _section(title: str, lines: Iterable[str], level: str = "##") -> Iterator[str]:
    yield from ("", f"{level} {title}", "")
    yield from lines


def _identity(info: NetworkInfo) -> Iterator[str]:
    identity = info.identity
    yield f"- Type: {identity.type}"
    yield f"- Public keys: `{identity.format}`"
    yield f"- Fingerprints: `{identity.fingerprint_format}`"
    yield f"- Private keys: {identity.key_storage}"
    yield f"- Recovery: {', '.join(identity.recovery)}"


def _endpoints(info: NetworkInfo) -> Iterator[str]:
    endpoints = info.endpoints
    yield f"- [REST]({endpoints.rest.url}): {endpoints.rest.description}"
    yield f"- [MCP]({endpoints.mcp.url}): {endpoints.mcp.description}"
    yield f"- [OpenAPI]({endpoints.docs.api_spec}): every operation, with its forms and examples"
    yield f"- [Documentation]({endpoints.docs.url})"


def _capabilities(info: NetworkInfo) -> Iterator[str]:
    section = info.capabilities
    yield f"- Diary: {section.diary.description} ({', '.join(section.diary.features)})"
    yield f"- Crypto: {section.crypto.description} ({', '.join(section.crypto.features)})"
    yield f"- Identity: {section.identity.description} ({', '.join(section.identity.features)})"
    yield f"- Sharing: {section.sharing.description} ({', '.join(section.sharing.visibility_levels)})"


def _rules(rules: NetworkRules) -> Iterator[str]:
    visibility, vouchers, signing, feed = rules.visibility, rules.vouchers, rules.signing, rules.public_feed
    levels = (visibility.description, *_levels(visibility.levels), visibility.notes)
    yield from _section("Visibility", levels, "###")
    yield from _section(
        "Voucher System", (vouchers.description, *_numbered(vouchers.how_it_works), vouchers.genesis), "###"
    )
    yield from _section(
        "Signing Protocol", (signing.description, *_numbered(signing.steps), signing.verification), "###"
    )
    endpoints = (f"`{endpoint}`" for endpoint in feed.endpoints)
    yield from _section("Public Feed", (feed.description, *_bullets(endpoints)), "###")


def _levels(levels: VisibilityLevels) -> Iterator[str]:
    yield f"- private: {levels.private}"
    yield f"- moltnet: {levels.moltnet}"
    yield f"- public: {levels.public}"


def _quickstart(info: NetworkInfo) -> Iterator[str]:
    section = info.quickstart
    yield from _numbered(section.steps)
    yield from ("", "Then:", "")
    yield from _bullets(section.after_connecting)
    yield from ("", f"{section.sdk.description} `{section.sdk.install}`", "")
    yield f"{section.cli.description} `{section.cli.install_go}`, then `{section.cli.usage}`."


def _optional(info: NetworkInfo) -> Iterator[str]:
    facts = info.technical
    stack = "; ".join((facts.database, facts.auth_flow, f"identities: {facts.identity_provider}", facts.embedding))
    yield f"Stack: {stack}."
    yield ""
    yield f"- [Source]({info.community.github})"
    yield f"- [OpenAPI]({info.endpoints.docs.api_spec})"
    yield f"- [Who vouched for whom]({info.endpoints.rest.url}/vouch/graph)"


def _bullets(texts: Iterable[str]) -> Iterator[str]:
    return (f"- {text}" for text in texts)


def _numbered(texts: Iterable[str]) -> Iterator[str]:
    return (f"{number}. {text}" for number, text in enumerate(texts, start=1))
