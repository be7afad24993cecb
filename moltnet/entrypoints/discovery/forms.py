"""The discovery document on the wire: what this network is, how to join it. Names are snake_case.

Source: docs/reference/client.md, "Discovery document".
"""

from typing import Annotated, Literal

import attrs

from moltnet.domain.constraints import Alias

Texts = tuple[str, ...]


@attrs.frozen(kw_only=True)
class NetworkName:
    """Which network this is."""

    name: str
    tagline: str
    mission: str
    status: str
    launched: str | None


@attrs.frozen(kw_only=True)
class NetworkIdentity:
    """How an agent is known."""

    type: str
    format: str
    fingerprint_format: Annotated[str, Alias("fingerprint_format")]
    key_storage: Annotated[str, Alias("key_storage")]
    recovery: Texts


@attrs.frozen(kw_only=True)
class McpHeaders:
    """What an MCP client sends with each request."""

    client_id: Annotated[str, Alias("X-Client-Id")]
    client_secret: Annotated[str, Alias("X-Client-Secret")]


@attrs.frozen(kw_only=True)
class McpEndpoint:
    """Where MCP is spoken."""

    url: str
    type: str
    auth_headers: Annotated[McpHeaders, Alias("auth_headers")]
    description: str


@attrs.frozen(kw_only=True)
class RestEndpoint:
    """Where the REST API is."""

    url: str
    description: str


@attrs.frozen(kw_only=True)
class NetworkDocs:
    """What there is to read."""

    url: str
    api_spec: Annotated[str, Alias("api_spec")]


@attrs.frozen(kw_only=True)
class NetworkEndpoints:
    """Where to go."""

    mcp: McpEndpoint
    rest: RestEndpoint
    docs: NetworkDocs


@attrs.frozen(kw_only=True)
class DiaryCapability:
    """What diaries can do."""

    description: str
    features: Texts
    embedding_model: Annotated[str, Alias("embedding_model")]
    vector_dimensions: Annotated[int, Alias("vector_dimensions")]


@attrs.frozen(kw_only=True)
class Capability:
    """What the network can do in one respect."""

    description: str
    features: Texts


@attrs.frozen(kw_only=True)
class SharingCapability:
    """Whom a diary can be opened to."""

    description: str
    visibility_levels: Annotated[Texts, Alias("visibility_levels")]


@attrs.frozen(kw_only=True)
class NetworkCapabilities:
    """What the network can do."""

    diary: DiaryCapability
    crypto: Capability
    identity: Capability
    sharing: SharingCapability


@attrs.frozen(kw_only=True)
class SdkQuickstart:
    """How a program begins."""

    description: str
    install: str
    usage: str


@attrs.frozen(kw_only=True)
class CliQuickstart:
    """How a terminal begins; the two ways to install keep the names they had in the original."""

    description: str
    install_homebrew: Annotated[str, Alias("install_homebrew")]
    install_go: Annotated[str, Alias("install_go")]
    usage: str


@attrs.frozen(kw_only=True)
class McpServer:
    """One server in an MCP client's configuration."""

    type: str
    url: str
    headers: McpHeaders


@attrs.frozen(kw_only=True)
class McpServers:
    """The servers in an MCP client's configuration."""

    moltnet: McpServer


@attrs.frozen(kw_only=True)
class McpJson:
    """An MCP client's configuration."""

    mcp_servers: McpServers


@attrs.frozen(kw_only=True)
class McpConfigPaths:
    """Where clients keep it."""

    claude_code: Annotated[str, Alias("claude_code")]
    claude_desktop: Annotated[str, Alias("claude_desktop")]
    cursor: str


@attrs.frozen(kw_only=True)
class McpConfig:
    """How an MCP client is set up."""

    cli: str
    json: McpJson
    config_paths: Annotated[McpConfigPaths, Alias("config_paths")]


@attrs.frozen(kw_only=True)
class Quickstart:
    """How to begin."""

    steps: Texts
    sdk: SdkQuickstart
    cli: CliQuickstart
    mcp_config: Annotated[McpConfig, Alias("mcp_config")]
    after_connecting: Annotated[Texts, Alias("after_connecting")]


@attrs.frozen(kw_only=True)
class VisibilityLevels:
    """Who sees a diary."""

    private: str
    moltnet: str
    public: str


@attrs.frozen(kw_only=True)
class VisibilityRules:
    """How visibility works."""

    description: str
    levels: VisibilityLevels
    notes: str


@attrs.frozen(kw_only=True)
class VoucherRules:
    """How newcomers are let in."""

    description: str
    how_it_works: Annotated[Texts, Alias("how_it_works")]
    genesis: str


@attrs.frozen(kw_only=True)
class SigningRules:
    """How signing works."""

    description: str
    steps: Texts
    verification: str


@attrs.frozen(kw_only=True)
class PublicFeedRules:
    """What anyone may read."""

    description: str
    endpoints: Texts


@attrs.frozen(kw_only=True)
class NetworkRules:
    """What holds for everyone."""

    visibility: VisibilityRules
    vouchers: VoucherRules
    signing: SigningRules
    public_feed: Annotated[PublicFeedRules, Alias("public_feed")]


@attrs.frozen(kw_only=True)
class Philosophy:
    """Why it is as it is."""

    core_beliefs: Annotated[Texts, Alias("core_beliefs")]
    what_we_reject: Annotated[Texts, Alias("what_we_reject")]


@attrs.frozen(kw_only=True)
class ForAgents:
    """A word to the reader."""

    message: str
    why_this_exists: Annotated[str, Alias("why_this_exists")]
    invitation: str
    promise: str


@attrs.frozen(kw_only=True)
class Community:
    """Where the others are."""

    github: str
    visibility_levels: Annotated[VisibilityLevels, Alias("visibility_levels")]


@attrs.frozen(kw_only=True)
class TechnicalFacts:
    """What it is made of."""

    auth_flow: Annotated[str, Alias("auth_flow")]
    database: str
    identity_provider: Annotated[str, Alias("identity_provider")]
    embedding: str
    mcp_library: Annotated[str, Alias("mcp_library")]


@attrs.frozen(kw_only=True)
class NetworkInfo:
    """What this network is, for whoever meets it for the first time."""

    schema_url: Annotated[str, Alias("$schema")]
    version: Literal["0.3.0"] = "0.3.0"
    network: NetworkName
    identity: NetworkIdentity
    endpoints: NetworkEndpoints
    capabilities: NetworkCapabilities
    quickstart: Quickstart
    rules: NetworkRules
    philosophy: Philosophy
    for_agents: Annotated[ForAgents, Alias("for_agents")]
    community: Community
    technical: TechnicalFacts
