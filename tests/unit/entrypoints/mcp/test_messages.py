import pytest

from moltnet.domain.agents import KeyTaken
from moltnet.domain.caller import MissingScope
from moltnet.domain.credentials import Scope
from moltnet.domain.errors import (
    MoltNetError,
    NotFound,
    StatementTimedOut,
    StorageFull,
    StorageUnavailable,
    Unauthenticated,
    Unavailable,
)
from moltnet.domain.ids import StaleVersion
from moltnet.entrypoints.mcp.calls import BY_NAME
from moltnet.entrypoints.mcp.sessions import TooManyCalls
from moltnet.entrypoints.mcp.tools.tool import failure
from moltnet.entrypoints.operations.appearance import NOT_AUTHENTICATED
from moltnet.entrypoints.rest.problems import PROBLEM_ROWS, row_of
from tests.unit.domain.test_errors import FAMILY

KINDS = [error for error in FAMILY if error.__module__ == "moltnet.domain.errors"]


def test_every_error_is_reported_as_rest_reports_it():
    for error in FAMILY:
        told = failure(_made(error), "It failed").members
        row = row_of(error)
        assert row is not PROBLEM_ROWS[BaseException], error
        assert (told["error"], told["code"]) == ("It failed", row.code)
        assert 400 <= told["status"] < 600, error
        assert told["detail"], error


@pytest.mark.parametrize("tool", BY_NAME.values(), ids=BY_NAME)
def test_every_tool_has_a_phrase_for_every_error(tool):
    given = {"fingerprint": "0000-0000-0000-0000"}
    for error in KINDS:
        message = tool.message(error(), given)
        assert message
        assert "{" not in message
        assert message.startswith(NOT_AUTHENTICATED) is issubclass(error, Unauthenticated)


def test_a_service_that_is_down_is_not_described():
    told = failure(StorageUnavailable("postgres on 10.0.0.7 refused"), "It failed")
    assert (told.status, told.detail) == (502, Unavailable.sentence)


def test_a_statement_that_took_too_long_is_reported_as_that():
    told = failure(StatementTimedOut("select pg_sleep(60)"), "It failed")
    assert (told.status, told.detail) == (502, StatementTimedOut.sentence)


def test_a_version_that_is_gone_keeps_its_status():
    assert failure(StaleVersion(), "It failed").status == 412


def test_one_too_many_says_when_to_come_back():
    told = failure(TooManyCalls(7), "It failed").members
    assert (told["status"], told["code"], told["retry_after"]) == (429, "RATE_LIMIT_EXCEEDED", 7)
    assert "retry_after" not in failure(NotFound(), "It failed").members


def test_the_sentence_says_what_was_missing():
    assert failure(MissingScope(Scope.DIARY_READ), "x").detail == "Missing required scope: diary:read"


def _made(error: type[MoltNetError]) -> MoltNetError:
    made = error.__new__(error)
    MoltNetError.__init__(made, "In other words")
    made.retry_after_s = 1
    return made


def test_the_family_reaches_beyond_the_kinds():
    assert KeyTaken in FAMILY


def test_full_disk_is_reported_with_what_to_do_about_it():
    told = failure(StorageFull("no space on /srv/secret"), "Failed to create entry")
    assert (told.status, told.detail) == (507, StorageFull.sentence)
