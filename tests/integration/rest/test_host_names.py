"""By which names a server on loopback lets itself be called (DNS rebinding)."""

import pytest

from moltnet.entrypoints.rest.headers import LOOPBACK_NAMES
from moltnet.entrypoints.rest.options import RestOptions
from tests.support.networks import in_memory
from tests.support.raw_http import RawAnswer, connected, head
from tests.support.worlds import Served, served

KNOWN = RestOptions(hosts=LOOPBACK_NAMES | {"net.test"})


async def asked(network: Served, host: str, method: str = "GET", path: str = "/health") -> RawAnswer:
    async with connected(network.url) as client:
        await client.send(head(method, path, "Content-Length: 0", host=host))
        return await client.answer()


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8000", "localhost.", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8000", "Net.test:443"],
)
async def test_known_names_are_served_with_any_port(host: str) -> None:
    async with served(in_memory(), options=KNOWN) as network:
        assert (await asked(network, host)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example@localhost",
        "evil.example/localhost",
        "[::2]",
        "::1",
        "0.0.0.0",
        "",
        "localhost, evil.example",
        "\u00e9",
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/health"), ("POST", "/mcp"), ("OPTIONS", "/"), ("GET", "/no")])
async def test_other_names_are_misdirected_on_every_path(host: str, method: str, path: str) -> None:
    async with served(in_memory(), options=KNOWN) as network:
        answer = await asked(network, host, method, path)
    assert (answer.status, answer.json["status"], answer.json["code"]) == (421, 421, "VALIDATION_FAILED")
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert "MOLTNET_ALLOWED_HOSTS" in answer.json["detail"]


async def test_the_second_of_two_names_counts_too() -> None:
    async with served(in_memory(), options=KNOWN) as network, connected(network.url) as client:
        await client.send(head("GET", "/health", "Host: evil.example"))
        assert (await client.answer()).status in {400, 421}


async def test_a_program_of_http_1_0_names_none() -> None:
    async with served(in_memory(), options=KNOWN) as network, connected(network.url) as client:
        await client.send("GET /health HTTP/1.0\r\n\r\n")
        assert (await client.answer()).status == 200


async def test_beyond_loopback_any_name_is_served() -> None:
    async with served(in_memory()) as network:
        assert (await asked(network, "evil.example")).status == 200
