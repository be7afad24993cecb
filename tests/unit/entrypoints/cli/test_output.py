"""What commands print, where to, and how they end."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.http.problems import refusal
from moltnet.domain.errors import Invalid, StorageFull, StorageUnavailable, Unavailable
from moltnet.entrypoints.cli.output import error_text, one_sentence, result, say, say_starting
from moltnet.entrypoints.library.remote import NoPrivateKey
from moltnet.ports.keys import NoCredentials
from moltnet.ports.remote import RemoteReply

# Without a buffer nothing would be left to be written at the end.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
ANNOUNCE_TO_NOBODY = """
import sys
from moltnet.entrypoints.cli.output import announce, say
announce("ready")
say("going on")
announce("still there")
sys.exit(7)
"""


def test_result_is_json_on_standard_output_that_people_can_read(capsys):
    result({"name": "Ada ✓", "scopes": ["diary:read"]})
    out, err = capsys.readouterr()
    assert out == '{\n  "name": "Ada ✓",\n  "scopes": [\n    "diary:read"\n  ]\n}\n'
    assert json.loads(out)["name"] == "Ada ✓"
    assert err == ""


@pytest.mark.parametrize("code", [1, 2])
def test_refusal_ends_the_command_with_its_sentence(capsys, code):
    with pytest.raises(SystemExit) as ended, one_sentence(code):
        raise Invalid("There is no such scope")
    assert ended.value.code == code
    assert capsys.readouterr() == ("", "error: There is no such scope\n")


def test_mistake_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError), one_sentence():
        raise ZeroDivisionError


@pytest.mark.parametrize("body", [b"", b"<html>Not Found</html>", b'{"detail": 7}', b"[]"])
def test_answer_without_a_reason_is_shown_with_its_status_and_what_to_check(body):
    reply = RemoteReply(status=404, headers={}, raw=body)
    assert error_text(refusal(reply)) == "Request failed (status 404); check that this is the address of a network"


def test_operator_learns_why_the_database_cannot_be_reached():
    error = StorageUnavailable()
    error.__cause__ = OSError('connection to "db", port 5432 failed: Connection refused\n\tIs the server running?')
    assert error_text(error) == (
        'The database is unavailable (connection to "db", port 5432 failed: Connection refused); '
        "check that it is running and that DATABASE_URL points to it"
    )


def test_missing_credentials_file_is_named_with_commands():
    sentence = error_text(NoCredentials(missing=Path("/nowhere/moltnet.json")))
    for part in ("/nowhere/moltnet.json", "moltnet register", "--credentials", "MOLTNET_CREDENTIALS_PATH"):
        assert part in sentence
    assert "register()" not in sentence


@given(st.text())
def test_nothing_that_is_printed_gives_a_terminal_orders(text):
    with pytest.MonkeyPatch.context() as patched:
        out, err = io.StringIO(), io.StringIO()
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", err)
        result({"content": text})
        say(text)
    for shown in (out.getvalue(), err.getvalue()):
        assert all(each == "\n" or each.isprintable() for each in shown)
    assert json.loads(out.getvalue()) == {"content": text}


def test_key_to_recover_with_is_asked_for_in_words_of_commands():
    sentence = error_text(NoPrivateKey())
    assert ("--credentials" in sentence, "keys" in sentence) == (True, False)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_long_work_is_announced_to_people_alone(monkeypatch, is_terminal):
    err = io.StringIO()
    err.isatty = lambda: is_terminal
    monkeypatch.setattr(sys, "stderr", err)
    say_starting("Starting")
    assert err.getvalue() == ("Starting\n" if is_terminal else "")


def test_other_causes_are_not_reported():
    error = Unavailable("The model is missing")
    error.__cause__ = OSError("secret")
    assert error_text(error) == "The model is missing"
    assert error_text(StorageUnavailable()) == "The database is unavailable"


def test_command_goes_on_when_nobody_listens():
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-c", ANNOUNCE_TO_NOBODY], stdout=writing, stderr=subprocess.PIPE, check=False, env=BUFFERED
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (7, b"going on\n")


def test_command_goes_on_when_nobody_reads_its_errors():
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-c", ANNOUNCE_TO_NOBODY], stdout=subprocess.PIPE, stderr=writing, check=False, env=BUFFERED
    )
    os.close(writing)
    assert (ended.returncode, ended.stdout) == (7, b"ready\nstill there\n")


def test_full_disk_is_not_blamed_on_the_address_of_the_database() -> None:
    error = StorageFull()
    error.__cause__ = OSError("No space left on device")
    assert error_text(error) == StorageFull.sentence
