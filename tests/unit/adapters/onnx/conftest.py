"""A model directory of a few kilobytes whose vectors can be worked out by hand."""

from collections.abc import Callable

import pytest

from tests.support.tiny_model import Tiny, write_tiny_model

TinyModel = Callable[..., Tiny]


@pytest.fixture
def tiny_model(tmp_path) -> TinyModel:
    """Writes a model directory; other members than the builder's own go into the declaration."""

    def write(**members) -> Tiny:
        return write_tiny_model(tmp_path / f"model-{len(list(tmp_path.iterdir()))}", **members)

    return write
