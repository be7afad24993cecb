"""What holds for every test that puts real parts together."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Tests of a minute each: begun last, they would be waited for by whoever has nothing else left to do.
LONG = (HERE / "durability", HERE / "composition")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them are kept out of the fast set, and the long ones come first."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real)
    items.sort(key=lambda item: item.path.parent not in LONG)
