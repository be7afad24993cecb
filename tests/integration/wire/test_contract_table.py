"""The behaviour that docs/reference describes, line by line, as requests and their answers."""

import pytest

from tests.integration.wire.rows_diaries import DIARIES
from tests.integration.wire.rows_keys import HOOKS, RECOVERY, SIGNING, TOKENS
from tests.integration.wire.rows_public import DOOR, PUBLIC
from tests.integration.wire.rows_sharing import SHARING, VOUCHING
from tests.integration.wire.stage import Stage

ROWS = (*DIARIES, *SHARING, *VOUCHING, *SIGNING, *RECOVERY, *TOKENS, *HOOKS, *DOOR, *PUBLIC)


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_line_of_the_contract_holds(stage: Stage, row):
    for act in row.acts:
        await act(stage)


def test_lines_are_unique():
    assert len({row.line for row in ROWS}) == len(ROWS)
