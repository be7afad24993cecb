"""The command line itself: what is offered, and what is refused before anything starts."""

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner, Result

from moltnet import __version__
from moltnet.domain.credentials import ALL_SCOPES
from moltnet.entrypoints.cli import main
from moltnet.entrypoints.cli.main import AGENTS_COMMANDS, OPERATORS_COMMANDS, SECTIONS, cli
from moltnet.entrypoints.cli.options import HELP_LENGTH_MAX, imported


def run(*arguments: str) -> Result:
    return CliRunner(env={"MOLTNET_DATA": "/dev/null/no-folder"}).invoke(cli, arguments, prog_name="moltnet")


def test_help_names_every_command_but_the_one_for_ourselves():
    listed = {heading: re.findall(r"^  ([a-z-]+) ", text, re.MULTILINE) for heading, text in sections().items()}
    assert listed == {heading: sorted(names) for heading, names in SECTIONS.items()}
    shown = {name for names in listed.values() for name in names}
    assert shown == {*AGENTS_COMMANDS, *OPERATORS_COMMANDS, "mcp", "version"} == {*cli.list_commands(None)} - {"worker"}
    assert run("-h").output == run("--help").output


def test_help_says_of_each_command_what_the_command_says_itself():
    for target, summary in AGENTS_COMMANDS.values():
        assert imported(target).get_short_help_str(HELP_LENGTH_MAX) == summary


def test_help_imports_no_command():
    code = "import sys; from moltnet.entrypoints.cli.main import cli; cli(['--help'], standalone_mode=False)"
    report = "print(sorted(each for each in sys.modules if '.commands.' in each or each in {'aiohttp', 'cattrs'}))"
    done = subprocess.run(
        [sys.executable, "-c", f"import atexit, sys; atexit.register(lambda: {report}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def sections() -> dict[str, str]:
    """The help's commands by heading."""
    parts = re.split(r"^(For .*):$", run("--help").output, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_no_help_is_cut():
    for _, command in every_command(cli):
        shown = command.get_help(click.Context(command, terminal_width=80))
        assert "..." not in shown.partition("\n")[2]
        assert max(map(len, shown.splitlines())) <= 80


def test_help_speaks_in_whole_sentences():
    for path, command in every_command(cli):
        texts = [(command.help or "").split("\n\n")[0]]
        texts += [each.help or "" for each in command.params if isinstance(each, click.Option) and not command.hidden]
        for text in texts:
            assert text[:1].isupper() or text[:1] in {"`", "1"}, (path, text)
            assert text.rstrip().endswith((".", "…", ".)", "stdin.")), (path, text)


def every_command(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from every_command(found, *path, name)


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["sreve"], "did you mean 'moltnet serve'?"),
        (["diary", "serach", "x"], "did you mean 'moltnet diary search'?"),
        (["search", "x"], "did you mean 'moltnet diary search'?"),
        (["serve", "--prot", "1"], "did you mean '--port'?"),
        (["diary", "create", "-titel", "x"], "did you mean '--title'?"),
    ],
)
def test_what_is_mistyped_gets_one_suggestion(words, suggestion):
    told = run(*words).stderr
    assert (suggestion in told, told.count("mean"), told.count("\n")) == (True, 1, 1)


def test_what_is_like_nothing_gets_none():
    assert "mean" not in run("qqqqqq").stderr
    assert "mean" not in run("serve", "--qqqqqq").stderr


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
        (["--api-url", "http://127.0.0.1:8000", "whoami"], "'--api-url'; the options of a command come after it"),
        (["--versoin"], "No such option '--versoin'; did you mean '--version'?"),
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
    assert capsys.readouterr() == ("", "\nStopped.\n")


def test_missing_package_is_a_sentence(ending, capsys):
    assert ending(ModuleNotFoundError("No module named 'dotenv'", name="dotenv")) == 2
    told = "error: the package dotenv is missing; a server needs: pip install 'moltnet[server,model]'\n"
    assert capsys.readouterr() == ("", told)


def test_missing_module_of_ours_is_a_mistake_and_shown_as_one(ending):
    with pytest.raises(ModuleNotFoundError):
        ending(ModuleNotFoundError("No module named 'moltnet.x'", name="moltnet.x"))
