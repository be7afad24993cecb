"""What holds for every test that puts real parts together."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them are kept out of the fast set."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real)
