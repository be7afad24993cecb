"""A unit test is about one module: nothing outside the process answers."""

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True, scope="package")
def _no_network():
    disable_socket(allow_unix_socket=True)  # an event loop wakes itself by a pair of them
    yield
    enable_socket()
