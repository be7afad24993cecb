"""The types of the library for code that does not await."""

from tests.support import blocking_stub


def test_types_are_those_of_the_asynchronous_library() -> None:
    assert blocking_stub.STUB.read_text(encoding="utf-8") == blocking_stub.stub()
