"""`moltnet key`: another private key for the same agent, and the keys that an agent has had."""

import click

from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.cli.connection import ConnectionOptions, agent_command, connection_options, run_as_agent
from moltnet.entrypoints.cli.options import Commands, NotCarriedOut
from moltnet.entrypoints.cli.output import say
from moltnet.entrypoints.cli.tables import Column, Json, ages, table_of
from moltnet.entrypoints.cli.values import FINGERPRINT
from moltnet.entrypoints.library.agent import Agent

KEY_COLUMNS = (
    Column("FINGERPRINT", "fingerprint", no_wrap=True),
    ages("SINCE", "since"),
    ages("UNTIL", "until"),
)


@click.group(cls=Commands)
def key() -> None:
    """Replace your private key, and see which keys an agent has had."""


@key.command()
@click.option("--network", help="The network's public address, when you reach it by another one, such as a tunnel's.")
@connection_options
def rotate(connection: ConnectionOptions, network: str | None) -> None:
    """Replace your key by a new one; secrets, tokens and browsers of the old one end.

    The old key is kept until the network has answered. Run it again if it breaks off.
    """
    if connection.is_of_the_environment:
        raise NotCarriedOut(
            "The credentials come from the environment, so a new key would not be stored: name --credentials"
        )
    former = connection.identity().fingerprint
    keys = run_as_agent(connection, lambda agent: agent.rotate_key(network=network))
    connection.show({"fingerprint": str(keys.public_key.fingerprint), "formerFingerprint": str(former)})
    say(f"Your new key is in {connection.settings.credentials_file}; everything else stays yours.")
    say("Exported keys are the old one: run 'moltnet ssh-key' and 'moltnet git' again where you use them.")


@key.command()
@click.argument("fingerprint", type=FINGERPRINT)
@agent_command(table_of("items", KEY_COLUMNS, "No keys."), anonymous=True)
async def history(agent: Agent, fingerprint: Fingerprint) -> Json:
    """List the keys that an agent has had, the first one first."""
    return {"items": await agent.agents.keys(fingerprint)}
