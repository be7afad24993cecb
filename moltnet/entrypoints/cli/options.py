"""How commands are typed: options with one dash or two, in any order; and the exit status of wrong ones.

Source: docs/reference/client.md, "Command line".
"""

import errno
import os
import sys
from collections.abc import Collection, Mapping
from copy import copy
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import click

from moltnet.entrypoints.cli.output import FAILED, INTERRUPTED, say

HELP_LENGTH_MAX = 10_000  # characters: no help is as long, so none is cut


def imported(target: str) -> Any:
    """What `module:attribute` below `moltnet.entrypoints.cli.commands` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(f"moltnet.entrypoints.cli.commands.{module}"), attribute)


class NotCarriedOut(click.UsageError):
    """An unknown command, or one that lacks an argument it needs; other usage errors are misspelt options."""

    exit_code = FAILED


class Command(click.Command):
    """A command whose long options may have a single dash."""

    def make_parser(self, ctx: click.Context) -> Any:
        """Accepts `-voucher` as `--voucher`; the value of an option is unchanged even if it looks like an option."""
        parser = super().make_parser(ctx)
        for option in self.get_params(ctx):
            if isinstance(option, click.Option):
                _with_one_dash(option).add_to_parser(parser, ctx)
        return parser

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Names an unknown option as it was typed: click names the first letter of one with a single dash."""
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            full_name = next((word for word in typed if word.startswith(error.option_name)), error.option_name)
            raise click.NoSuchOption(full_name.partition("=")[0], ctx=error.ctx) from error

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Reports a missing required option as a failure (exit status 1), not as a misspelt one."""
        try:
            return super().make_context(*args, **more)
        except click.MissingParameter as error:
            raise NotCarriedOut(error.format_message(), error.ctx) from error


class Commands(click.Group):
    """A group of commands, some of which are imported when they are used.

    `elsewhere` maps the names of those to `module:attribute` below `moltnet.entrypoints.cli.commands`, and the first
    sentence of their help. `sections` maps headings of the help to the commands below each; others are below
    "Commands".
    """

    command_class = Command

    def __init__(
        self,
        *args: Any,
        elsewhere: Mapping[str, tuple[str, str]] | None = None,
        sections: Mapping[str, Collection[str]] | None = None,
        **more: Any,
    ) -> None:
        more.setdefault("no_args_is_help", False)
        more.setdefault("invoke_without_command", False)
        super().__init__(*args, **more)
        self._elsewhere = dict(elsewhere or {})
        self._sections = dict(sections or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return sorted({*super().list_commands(ctx), *self._elsewhere})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name in self._elsewhere:
            command: click.Command = imported(self._elsewhere[cmd_name][0])
            return command
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Reports an unknown command as a failure (exit status 1), and an unknown option as a misspelling (2)."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchOption:
            raise
        except click.UsageError as error:
            raise NotCarriedOut(f"No such command '{args[0]}'{self._suggestion(ctx, args[0])}", error.ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section, each with its whole first sentence."""
        summaries = {name: self._summary(ctx, name) for name in self.list_commands(ctx)}
        placed = {name for names in self._sections.values() for name in names}
        others = [name for name in summaries if name not in placed]
        for heading, names in {**self._sections, "Commands": others}.items():
            rows = [(name, summary) for name, summary in summaries.items() if summary and name in names]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def _summary(self, ctx: click.Context, name: str) -> str | None:
        """The first sentence of a command's help; None for one that is hidden."""
        if name in self._elsewhere:
            return self._elsewhere[name][1]
        command = self.get_command(ctx, name)
        return None if command is None or command.hidden else command.get_short_help_str(HELP_LENGTH_MAX)

    def _suggestion(self, ctx: click.Context, typed: str) -> str:
        """The nearest command, else the group that has one of this very name."""
        near = get_close_matches(typed, self.list_commands(ctx), n=1)
        if near:
            return f"; did you mean '{ctx.command_path} {near[0]}'?"
        for name in self.list_commands(ctx):
            group = self.get_command(ctx, name)
            if isinstance(group, click.Group) and typed in group.list_commands(ctx):
                return f"; did you mean '{ctx.command_path} {name} {typed}'?"
        return ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Without a command, the usage on standard error and a failure."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(FAILED)
        return super().parse_args(ctx, _with_help(args))

    def main(self, *args: Any, **more: Any) -> NoReturn:
        """Reports usage errors in one line, as every other error."""
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
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the rest would fail again at exit
            say("error: the output cannot be written: no space left on the device")
            sys.exit(FAILED)
        sys.exit(ended if isinstance(ended, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Exits as shells expect of a program that Ctrl-C ended."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("\nStopped.")  # the terminal has written ^C into the line
            sys.exit(INTERRUPTED)


Commands.group_class = Commands


def _with_help(args: list[str]) -> list[str]:
    return ["--help", *args[1:]] if args and args[0] in {"help", "-help"} else args


def _sentence(error: click.ClickException) -> str:
    message = " ".join(_message(error).split()).removesuffix(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{message} ('{context.command_path} --help' tells more)" if context else message


def _message(error: click.ClickException) -> str:
    """Click's message, with one suggestion instead of several."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return error.format_message()
    known = [name for each in error.ctx.command.get_params(error.ctx) for name in each.opts if name.startswith("--")]
    near = get_close_matches(f"--{error.option_name.lstrip('-')}", known, n=1)
    if near:
        return f"No such option '{error.option_name}'; did you mean '{near[0]}'?"
    follow = "; the options of a command come after it" if isinstance(error.ctx.command, click.Group) else ""
    return f"No such option '{error.option_name}'{follow}"


def _with_one_dash(option: click.Option) -> click.Option:
    single = copy(option)
    single.opts = [name.removeprefix("-") for name in option.opts if name.startswith("--")]
    single.secondary_opts = [name.removeprefix("-") for name in option.secondary_opts if name.startswith("--")]
    return single
