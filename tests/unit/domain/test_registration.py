"""The steps of a registration, and what undoes them (docs/reference/endpoints.md, "Registration")."""

from itertools import pairwise

import pytest

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.registration import (
    UNDOES,
    Registered,
    RegistrationStep,
    Undo,
    import_of,
    imported_by,
    undoing,
)
from tests.support.builders import a_public_key, an_id

STEPS = list(RegistrationStep)


def test_the_steps_stand_in_the_order_of_the_seed() -> None:
    assert [step.value for step in STEPS] == [
        "validate-voucher",
        "create-identity",
        "store-agent",
        "relate-self",
        "create-client",
    ]


@pytest.mark.parametrize(
    ("failed", "undone"),
    [
        (RegistrationStep.VALIDATE_VOUCHER, ()),
        (RegistrationStep.CREATE_IDENTITY, (Undo.DELETE_IDENTITY,)),
        (RegistrationStep.STORE_AGENT, (Undo.FORGET_AGENT, Undo.DELETE_IDENTITY)),
        (RegistrationStep.RELATE_SELF, (Undo.FORGET_AGENT, Undo.DELETE_IDENTITY)),
        (RegistrationStep.CREATE_CLIENT, (Undo.DELETE_CLIENT, Undo.FORGET_AGENT, Undo.DELETE_IDENTITY)),
    ],
)
def test_a_failure_undoes_what_may_have_happened_newest_first(
    failed: RegistrationStep, undone: tuple[Undo, ...]
) -> None:
    assert undoing(failed) == undone


def test_every_undo_belongs_to_one_step() -> None:
    assert sorted(UNDOES.values()) == sorted(Undo)


def test_no_step_undoes_what_only_a_later_one_does() -> None:
    for earlier, later in pairwise(STEPS):
        assert undoing(later)[-len(undoing(earlier)) or len(STEPS) :] == undoing(earlier)


def test_an_import_names_its_agent_and_no_other_registration_does() -> None:
    agent_id = AgentId(an_id())
    assert imported_by(import_of(agent_id)) == agent_id
    for other in (str(agent_id), f"export-{agent_id}", import_of(agent_id)[:-1], "import-", "import-import-", ""):
        assert imported_by(other) is None


def test_a_registered_agent_is_named_by_its_key() -> None:
    key = a_public_key()
    secret = ClientSecret(client_id=ClientId(an_id()), secret="secret")
    assert Registered(agent_id=AgentId(an_id()), public_key=key, credentials=secret).fingerprint == key.fingerprint
