"""How far a switch is."""

import pytest

from moltnet.domain.indexing import ModelMigrationProgress, ModelName, ModelReference, ModelState

OLD, NEW = ModelReference(ModelName("old")), ModelReference(ModelName("new"))


@pytest.mark.parametrize(
    ("state", "done", "complete"),
    [
        (ModelState(serving=OLD), 3, True),
        (ModelState(serving=OLD), 2, False),
        (ModelState(serving=OLD, target=NEW), 3, False),  # the switch itself is still to come
        (ModelState(), 0, False),
    ],
)
def test_it_is_complete_when_nothing_is_left_to_do(state: ModelState, done: int, *, complete: bool) -> None:
    assert ModelMigrationProgress(state=state, done=done, total=3).complete is complete
