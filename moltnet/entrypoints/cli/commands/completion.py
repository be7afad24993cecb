"""`moltnet completion`: what a shell needs to complete commands and options."""

import click
from click.shell_completion import get_completion_class

from moltnet.entrypoints.cli.options import Command

SHELLS = ("bash", "zsh", "fish")
PROGRAM, VARIABLE = "moltnet", "_MOLTNET_COMPLETE"


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the code that completes commands in a shell.

    Put into its start-up file, for example: eval "$(moltnet completion bash)"
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  # click completes for each of SHELLS
    click.echo(kind(context.find_root().command, {}, PROGRAM, VARIABLE).source())
