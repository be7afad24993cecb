import click
import pytest
from click.testing import CliRunner

from moltnet.entrypoints.cli.options import Command, Commands


@click.group(cls=Commands)
def cli() -> None:
    """Says things."""


@cli.command()
@click.option("--word", required=True)
@click.option("--loud", is_flag=True)
@click.option("-n", "--number", default=1)
@click.argument("rest", nargs=-1)
def say(*, word: str, loud: bool, number: int, rest: tuple[str, ...]) -> None:
    """Say a word."""
    click.echo(f"{word} {loud} {number} {','.join(rest)}")


def told(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, list(words))
    return done.exit_code, done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--word", "w", "--loud", "a"),
        ("-word", "w", "-loud", "a"),
        ("-word=w", "a", "-loud"),
        ("a", "-loud", "--word=w"),
        ("-loud", "-word", "w", "--", "a"),
    ],
)
def test_one_dash_or_two_in_any_order(words: tuple[str, ...]) -> None:
    assert told("say", *words) == (0, "w True 1 a\n")


def test_what_follows_two_dashes_is_left_alone() -> None:
    assert told("say", "-word", "w", "--", "-loud") == (0, "w False 1 -loud\n")


def test_short_options_stay_short() -> None:
    assert told("say", "-word", "w", "-n", "3") == (0, "w False 3 \n")
    assert told("say", "-word", "w", "-n3") == (0, "w False 3 \n")


@pytest.mark.parametrize(
    ("words", "status"),
    [((), 1), (("shout",), 1), (("say",), 1), (("say", "-volume", "1"), 2), (("say", "-word"), 2), (("-volume",), 2)],
)
def test_failure_and_misspelling_exit_apart(words: tuple[str, ...], status: int) -> None:
    assert told(*words)[0] == status


@pytest.mark.parametrize("words", [("help",), ("-help",), ("--help",), ("say", "-help")])
def test_help_is_no_failure(words: tuple[str, ...]) -> None:
    status, out = told(*words)
    assert (status, out.startswith("Usage:")) == (0, True)


def test_commands_elsewhere_are_imported_when_they_are_asked_for() -> None:
    group = Commands(name="g", elsewhere={"there": ("machine:completion", ""), "gone": ("no_such_module:x", "")})
    context = click.Context(group)
    assert group.list_commands(context) == ["gone", "there"]
    assert isinstance(group.get_command(context, "there"), Command)


def test_the_value_of_an_option_may_look_like_another() -> None:
    assert told("say", "-word", "-loud") == (0, "-loud False 1 \n")


@pytest.mark.parametrize(
    "words", [("shout",), ("say",), ("say", "-word", "w", "-number", "many"), ("say", "--volume", "1")], ids=" ".join
)
def test_what_was_typed_wrongly_is_reported_in_one_line(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, list(words))
    assert (done.stdout, done.stderr.count("\n"), done.stderr.startswith("error: ")) == ("", 1, True)
    assert "--help' tells more)" in done.stderr
