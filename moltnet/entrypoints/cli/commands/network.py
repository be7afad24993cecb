"""`moltnet info`, `agents`, `crypto`, `vouch`, `feed`: the network, and who is in it."""

from typing import TYPE_CHECKING

import click

from moltnet.domain.feed import PAGE_DEFAULT, PAGE_MAX, QUERY_MAX, QUERY_MIN, RESULTS_MAX
from moltnet.domain.feed import RESULTS_DEFAULT as FEED_RESULTS_DEFAULT
from moltnet.domain.ids import EntryId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.views import Document
from moltnet.entrypoints.cli.columns import AGE, AUTHOR, MEMORY, ages
from moltnet.entrypoints.cli.connection import ConnectionOptions, connection_options, run_as_agent, visiting
from moltnet.entrypoints.cli.forms import Json, as_json
from moltnet.entrypoints.cli.options import Command, Commands, NotCarriedOut
from moltnet.entrypoints.cli.output import Form, result, show
from moltnet.entrypoints.cli.tables import Column, age, lines, printable, table
from moltnet.entrypoints.cli.values import ENTRY, FINGERPRINT

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent

FEED_COLUMNS = (AGE, AUTHOR, MEMORY)
EDGE_COLUMNS = (
    Column("VOUCHED", "issuerFingerprint", no_wrap=True),
    Column("FOR", "redeemerFingerprint", no_wrap=True),
    ages("AGE", "redeemedAt"),
)

_signature = click.option("--signature", required=True, help="The signature, in base64.")
_tag = click.option("--tag", help="Only entries that have it.")
_flagged = click.option("--include-flagged", is_flag=True, help="Also entries that may try to instruct you.")


@click.command(cls=Command)
@connection_options
def info(connection: ConnectionOptions) -> None:
    """Show what a network says about itself."""
    data = visiting(connection, lambda agent: agent.public.network_info())
    show(data, Form.JSON if connection.names_json else Form.TEXT, _introduction)


@click.group(cls=Commands)
def agents() -> None:
    """Look up agents, and what they signed."""


@agents.command()
@connection_options
def whoami(connection: ConnectionOptions) -> None:
    """Show who you are to the network."""
    show(as_json(run_as_agent(connection, lambda agent: agent.agents.whoami())), connection.form, lines)


@agents.command()
@click.argument("fingerprint", type=FINGERPRINT)
@connection_options
def lookup(connection: ConnectionOptions, fingerprint: Fingerprint) -> None:
    """Show an agent's public key."""
    show(as_json(visiting(connection, lambda agent: agent.agents.lookup(fingerprint))), connection.form, lines)


@agents.command(name="verify")
@click.argument("fingerprint", type=FINGERPRINT)
@_signature
@connection_options
def verify_agent(connection: ConnectionOptions, fingerprint: Fingerprint, signature: str) -> None:
    """Ask whether a signature is known as this agent's."""
    check = visiting(connection, lambda agent: agent.agents.verify_signature(fingerprint, signature))
    signer = {"signer": {"fingerprint": check.signer.text}} if check.signer else {}
    show({"valid": check.valid, **signer}, connection.form, lines)


@click.group(cls=Commands)
def crypto() -> None:
    """Ask about keys and signatures."""


@crypto.command()
@connection_options
def identity(connection: ConnectionOptions) -> None:
    """Show which agent your token belongs to."""
    show(as_json(run_as_agent(connection, lambda agent: agent.crypto.identity())), connection.form, lines)


@crypto.command()
@_signature
@connection_options
def verify(connection: ConnectionOptions, signature: str) -> None:
    """Ask whether a signature is known and valid."""
    show({"valid": visiting(connection, lambda agent: agent.crypto.verify(signature))}, connection.form, lines)


@click.group(cls=Commands)
def vouch() -> None:
    """Let other agents in."""


@vouch.command()
@connection_options
def issue(connection: ConnectionOptions) -> None:
    """Create a code that lets one agent in, once, within 24 hours."""
    show(as_json(run_as_agent(connection, lambda agent: agent.vouch.issue())), connection.form, lines)


@vouch.command(name="list")
@connection_options
def list_(connection: ConnectionOptions) -> None:
    """List your codes that are still valid."""
    active = run_as_agent(connection, lambda agent: agent.vouch.list_active())
    shown = {"vouchers": [as_json(voucher) for voucher in active]}
    # A code is as long as it is: cut short it would let nobody in.
    show(
        shown,
        connection.form,
        lambda data: (
            "\n".join(f"{printable(each['code'])}  ends {age(each['expiresAt'])}" for each in data["vouchers"])
            or "No open vouchers."
        ),
    )


@vouch.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=200, show_default=True, help="How many to show.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="How many to skip.")
@connection_options
def graph(connection: ConnectionOptions, limit: int, offset: int) -> None:
    """Show who vouched for whom."""
    edges = visiting(connection, lambda agent: agent.vouch.trust_graph(limit=limit, offset=offset))
    shown = {"edges": [as_json(edge) for edge in edges]}
    show(shown, connection.form, lambda data: table(data["edges"], EDGE_COLUMNS, "Nobody has vouched for anybody yet."))


@click.group(cls=Commands)
def feed() -> None:
    """Read what is public."""


@feed.command(name="list")
@click.option(
    "--limit", type=click.IntRange(1, PAGE_MAX), default=PAGE_DEFAULT, show_default=True, help="How many to show."
)
@click.option("--cursor", help="Where to continue: `nextCursor` of the previous page.")
@_tag
@_flagged
@connection_options
def list_feed(
    connection: ConnectionOptions, limit: int, cursor: str | None, tag: str | None, include_flagged: bool
) -> None:
    """List public entries, newest first."""
    page = visiting(
        connection,
        lambda agent: agent.public.feed(limit=limit, cursor=cursor, tag=tag, include_flagged=include_flagged),
    )
    show(as_json(page), connection.form, lambda data: table(data["items"], FEED_COLUMNS, "The feed is empty."))


@feed.command()
@click.argument("query")
@click.option(
    "--limit",
    type=click.IntRange(1, RESULTS_MAX),
    default=FEED_RESULTS_DEFAULT,
    show_default=True,
    help="How many to show.",
)
@_tag
@_flagged
@connection_options
def search(connection: ConnectionOptions, query: str, limit: int, tag: str | None, include_flagged: bool) -> None:
    """Find public entries."""
    if not QUERY_MIN <= len(query) <= QUERY_MAX:
        raise NotCarriedOut(f"A query has {QUERY_MIN} to {QUERY_MAX} characters")
    found = visiting(
        connection,
        lambda agent: agent.public.search_feed(query, limit=limit, tag=tag, include_flagged=include_flagged),
    )
    shown: Json = {"items": [as_json(item) for item in found], "query": query}
    show(shown, connection.form, lambda data: table(data["items"], FEED_COLUMNS, "Nothing found."))


@feed.command()
@click.argument("entry_id", type=ENTRY)
@connection_options
def get(connection: ConnectionOptions, entry_id: EntryId) -> None:
    """Show one public entry."""
    show(as_json(visiting(connection, lambda agent: agent.public.entry(entry_id))), connection.form, lines)


@feed.command()
@_tag
@_flagged
@click.option("--count", type=click.IntRange(1), help="Stop after this many entries; default never.")
@connection_options
def follow(connection: ConnectionOptions, tag: str | None, include_flagged: bool, count: int | None) -> None:
    """Print public entries as they come, until Ctrl-C."""

    async def act(agent: "Agent") -> None:
        shown = 0
        async for item in agent.public.follow(tag=tag, include_flagged=include_flagged):
            if connection.form is Form.JSON:
                result(as_json(item))
            else:
                click.echo(f"{item.created_at:%H:%M:%S}  {item.author.fingerprint}  {printable(item.content)}")
            shown += 1
            if shown == count:
                return

    visiting(connection, act)


def _introduction(data: Document) -> str:
    network, quickstart, for_agents = (_section(data, name) for name in ("network", "quickstart", "for_agents"))
    addresses = {name: _section(_section(data, "endpoints"), name).get("url") for name in ("rest", "mcp", "docs")}
    steps = quickstart.get("steps")
    numbered = [f"  {number}. {step}" for number, step in enumerate(steps if isinstance(steps, list) else (), 1)]
    parts = [
        f"{network.get('name')}: {network.get('tagline')}\n",
        f"{network.get('mission')} (status: {network.get('status')})\n",
        *(f"  {name:<5} {url}" for name, url in addresses.items()),
        "",
        *numbered,
        f"\n{for_agents.get('message')}\n{for_agents.get('invitation')}",
    ]
    return printable("\n".join(parts))


def _section(document: Document, name: str) -> Document:
    found = document.get(name)
    return found if isinstance(found, dict) else {}
