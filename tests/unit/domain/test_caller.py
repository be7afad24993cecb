"""Who is asking."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.caller import ANONYMOUS, MissingScope, require_caller
from moltnet.domain.credentials import Scope
from moltnet.domain.errors import Unauthenticated
from tests.support.builders import a_caller

SCOPES = st.sets(st.sampled_from(Scope))


@given(held=SCOPES, needed=st.lists(st.sampled_from(Scope)))
def test_the_first_scope_that_is_missing_is_reported(held: set[Scope], needed: list[Scope]) -> None:
    caller = a_caller(scopes=frozenset(held))
    missing = [scope for scope in needed if scope not in held]
    if not missing:
        caller.require(*needed)
        return
    with pytest.raises(MissingScope) as refused:
        caller.require(*needed)
    assert refused.value.scope is missing[0]
    assert str(refused.value) == f"Missing required scope: {missing[0].value}"


@given(held=SCOPES, granted=SCOPES)
def test_a_token_has_all_when_it_lacks_none_of_its_clients_scopes(held: set[Scope], granted: set[Scope]) -> None:
    caller = attrs.evolve(a_caller(scopes=frozenset(held)), client_scopes=frozenset(granted))
    if granted <= held:
        caller.require_all()
        return
    with pytest.raises(MissingScope) as refused:
        caller.require_all()
    assert refused.value.scope in granted - held


def test_a_caller_is_known() -> None:
    caller = a_caller()
    assert require_caller(caller) is caller


def test_nobody_in_particular_is_not() -> None:
    with pytest.raises(Unauthenticated, match="Missing authorization header"):
        require_caller(ANONYMOUS)
