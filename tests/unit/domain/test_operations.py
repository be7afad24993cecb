import pytest

from moltnet.domain.credentials import ALL_SCOPES
from moltnet.domain.operations import Operation, scopes_of


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_needs_one_scope(operation):
    assert len(operation.scopes) == (2 if operation is Operation.UPDATE_ENTRY else 1)
    assert operation.scopes == scopes_of(operation.value)


def test_what_is_not_in_the_table_needs_none():
    assert scopes_of("getPublicFeed") == ()


def test_most_scopes_are_needed_for_something():
    needed = {scope for operation in Operation for scope in operation.scopes}
    assert {scope.value for scope in ALL_SCOPES - needed} == {"agent:directory"}  # the directory is open to everyone
