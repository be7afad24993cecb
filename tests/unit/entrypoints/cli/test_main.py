"""The command line itself: what is offered, and what is refused before anything starts."""

import sys

import click
import pytest
from click.testing import CliRunner, Result

from moltnet import __version__
from moltnet.domain.credentials import ALL_SCOPES
from moltnet.entrypoints.cli import main
from moltnet.entrypoints.cli.main import AGENTS_COMMANDS, cli


def run(*arguments: str) -> Result:
    return CliRunner(env={"MOLTNET_DATA": "/dev/null/no-folder"}).invoke(cli, arguments, prog_name="moltnet")


def test_help_names_every_command_but_the_one_for_ourselves():
    listed = [line.split()[0] for line in run("--help").output.partition("Commands:")[2].splitlines() if line]
    operators = [
        "bench",
        "demo",
        "doctor",
        "genesis",
        "keys",
        "mcp",
        "migrate",
        "model",
        "ory",
        "serve",
        "up",
        "version",
    ]
    assert listed == sorted([*operators, *AGENTS_COMMANDS])
    assert run("-h").output == run("--help").output


def words_of(group: click.Group) -> list[str]:
    """Every command, those within groups included."""
    within = [
        f"{name} {word}"
        for name, each in group.commands.items()
        if isinstance(each, click.Group)
        for word in words_of(each)
    ]
    return sorted([*group.commands, *within])


@pytest.mark.parametrize("command", words_of(cli))
def test_every_command_explains_itself(command):
    shown = run(*command.split(), "--help")
    assert shown.exit_code == 0
    assert shown.output.startswith(f"Usage: moltnet {command} [OPTIONS]")
    usage, _, explained = shown.output.partition("\n\n  ")
    assert "\n" not in usage
    assert explained[0].isupper()


def test_version_is_the_packages():
    assert [run(*words).output for words in (["version"], ["--version"])] == [f"moltnet {__version__}\n"] * 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["serve", "--prot", "1"], "No such option '--prot'"),
        (["serve", "--port", "65536"], "65536 is not in the range 0<=x<=65535"),
        (["serve", "--workers", "0"], "0 is not in the range 1<=x<=64"),
        (["up", "--port", "http"], "'http' is not a valid integer"),
        (["genesis", "--count", "0"], "0 is not in the range 1<=x<=10"),
        (["genesis", "--count", "11"], "11 is not in the range 1<=x<=10"),
    ],
)
def test_wrong_words_are_usage_errors(words, told):
    refused = run(*words)
    assert refused.exit_code == 2
    assert told in refused.stderr
    assert refused.stdout == ""


def test_unknown_command_is_a_failure():
    refused = run("sreve")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "No such command 'sreve'" in refused.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--count", "2", "--names", "a"], "--count 2 needs 2 names, --names holds 1"),
        (["--names", "a,b"], "--count 1 needs 1 names, --names holds 2"),
        (["--names", " , "], "--count 1 needs 1 names, --names holds 0"),
        (["--scopes", "diary:read admin root"], "no scope is called admin, root; the scopes are: diary:read "),
        (["--scopes", " "], "--scopes names none; the scopes are: diary:read "),
    ],
)
def test_genesis_refuses_names_and_scopes_before_it_makes_anything(words, told):
    refused = run("genesis", *words)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"error: {told}")
    if "scopes" in told:
        assert set(refused.stderr.partition("scopes are: ")[2].split()) == {scope.value for scope in ALL_SCOPES}


@pytest.fixture
def ending(monkeypatch):
    """Runs `moltnet broken`, a command that raises what it is given, as the console script does."""

    def end(error: BaseException) -> object:
        @click.command()
        def broken() -> None:
            raise error

        monkeypatch.setattr(sys, "argv", ["moltnet", "broken"])
        monkeypatch.setitem(cli.commands, "broken", broken)
        with pytest.raises(SystemExit) as ended:
            main.main()
        return ended.value.code

    return end


def test_interruption_is_no_traceback(ending, capsys):
    assert ending(KeyboardInterrupt()) == 130
    assert capsys.readouterr() == ("", "")


def test_missing_package_is_a_sentence(ending, capsys):
    assert ending(ModuleNotFoundError("No module named 'dotenv'", name="dotenv")) == 2
    told = "error: the package dotenv is missing; a server needs: pip install 'moltnet[server,model]'\n"
    assert capsys.readouterr() == ("", told)


def test_missing_module_of_ours_is_a_mistake_and_shown_as_one(ending):
    with pytest.raises(ModuleNotFoundError):
        ending(ModuleNotFoundError("No module named 'moltnet.x'", name="moltnet.x"))
