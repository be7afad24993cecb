"""The table of docs/matrix.md is what the server answers."""

from pathlib import Path

from tests.integration.wire.matrix import matrix_text

PAGE = Path(__file__).parents[3] / "docs" / "matrix.md"


async def test_table_of_callers_is_what_the_server_answers():
    assert (await matrix_text()).splitlines() == PAGE.read_text(encoding="utf-8").splitlines()
