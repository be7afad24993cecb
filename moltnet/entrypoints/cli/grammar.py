"""How commands are written: one dash or two, in any order, and what a wrong one exits with (client.md §13)."""

import errno
import os
import sys
from collections.abc import Mapping
from copy import copy
from importlib import import_module
from typing import Any, NoReturn

import click

from moltnet.entrypoints.cli.output import FAILED, INTERRUPTED, say


class NotCarriedOut(click.UsageError):
    """A command that is not there, or lacks what it needs; click's own errors are misspelt options."""

    exit_code = FAILED


class Command(click.Command):
    """A command whose long options may have a single dash, as the original's have."""

    def make_parser(self, ctx: click.Context) -> Any:
        """Knows `-voucher` as `--voucher`; what an option is told is left alone, even if it looks like another."""
        parser = super().make_parser(ctx)
        for option in self.get_params(ctx):
            if isinstance(option, click.Option):
                _with_one_dash(option).add_to_parser(parser, ctx)
        return parser

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """A required option that is missing is a failure like any other, not a misspelt one."""
        try:
            return super().make_context(*args, **more)
        except click.MissingParameter as error:
            raise NotCarriedOut(error.format_message(), error.ctx) from error


class Commands(click.Group):
    """A group of commands, some of which are imported when they are asked for.

    `elsewhere` tells where those are: by name, `module:attribute` below `moltnet.entrypoints.cli.commands`.
    """

    command_class = Command

    def __init__(self, *args: Any, elsewhere: Mapping[str, str] | None = None, **more: Any) -> None:
        more.setdefault("no_args_is_help", False)
        more.setdefault("invoke_without_command", False)
        super().__init__(*args, **more)
        self._elsewhere = dict(elsewhere or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return sorted({*super().list_commands(ctx), *self._elsewhere})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name in self._elsewhere:
            module, _, attribute = self._elsewhere[cmd_name].partition(":")
            found: click.Command = getattr(import_module(f"moltnet.entrypoints.cli.commands.{module}"), attribute)
            return found
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """An unknown command is a failure, an unknown option a misspelling."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchOption:
            raise
        except click.UsageError as error:
            raise NotCarriedOut(error.format_message(), error.ctx) from error

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Without a command, the usage on standard error and a failure."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(FAILED)
        return super().parse_args(ctx, _helped(args))

    def main(self, *args: Any, **more: Any) -> NoReturn:
        """What was typed wrongly is told in one line, as every other error is."""
        try:
            ended = super().main(*args, **{**more, "standalone_mode": False})
        except click.Abort:
            say("Nothing was done.")
            sys.exit(FAILED)
        except click.ClickException as error:
            say(f"error: {_sentence(error)}")
            sys.exit(error.exit_code)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what waits would fail again at the end
            say("error: what was found cannot be written: no space is left where the output goes")
            sys.exit(FAILED)
        sys.exit(ended if isinstance(ended, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Ends as a shell expects of a program that Ctrl-C ended."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)


Commands.group_class = Commands


def _helped(args: list[str]) -> list[str]:
    # `help` alone, and with one dash, as the original has it.
    return ["--help", *args[1:]] if args and args[0] in {"help", "-help"} else args


def _sentence(error: click.ClickException) -> str:
    told = " ".join(error.format_message().split()).removesuffix(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{told} ('{context.command_path} --help' tells more)" if context else told


def _with_one_dash(option: click.Option) -> click.Option:
    single = copy(option)
    single.opts = [name.removeprefix("-") for name in option.opts if name.startswith("--")]
    single.secondary_opts = [name.removeprefix("-") for name in option.secondary_opts if name.startswith("--")]
    return single
