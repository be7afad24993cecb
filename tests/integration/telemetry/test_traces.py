"""What two servers tell a receiver of OTLP about agents' work; one of them is killed, the other finishes its work."""

import asyncio
import base64
import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import attrs
import pytest
import yaml
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
from prometheus_client.parser import text_string_to_metric_families

import moltnet
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.entrypoints.library.remote import remote_agent
from moltnet.ports import telemetry
from moltnet.ports.telemetry import Metric
from tests.support.live_server import LiveServer, asked, first_diary, genesis, serving, until
from tests.support.mcp_clients import mcp_client, used
from tests.support.otlp import Receiver, a_receiver

pytestmark = pytest.mark.real

# What an agent writes, asks and signs; each is looked for in all that is sent.
CONTENT, TITLE, TAG, QUERY = "planted-content-7f3", "planted-title-7f3", "planted-tag-7f3", "planted-query-7f3"
MESSAGE, SAID, ASIDE = "planted-message-7f3", "planted-said-7f3", "planted-aside-7f3"
OBSERVABILITY = Path(__file__).parents[3] / "deploy" / "observability"
METRIC = re.compile(r"\b(?:http_server|db_client|moltnet|process)_[a-z_]+")
LABEL = re.compile(r"[{,]\s*([a-z_]+)(?==|!=)")
PLANTED = (CONTENT, TITLE, TAG, QUERY, MESSAGE, SAID, ASIDE)
ROUTE = "POST /diaries/{diaryId}/entries"
SPAN = "00f067aa0ba902b7"
WRITE, SEARCH, TOOL, SIGN, CLIENT = (f"{number:032x}" for number in range(0xA1, 0xA6))
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BLRP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "500"}


def dashboard_expressions() -> list[str]:
    """What the panels of the dashboard show."""
    panels = json.loads((OBSERVABILITY / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def alert_expressions() -> list[str]:
    """What the alert rules watch."""
    groups = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def _grouped_by(expression: str) -> set[str]:
    return {label.strip() for names in re.findall(r"by \(([^)]*)\)", expression) for label in names.split(",")}


@attrs.frozen
class Story:
    """What was sent, and what must not have been."""

    sent: Receiver
    agent: str
    secrets: tuple[str, ...]
    scraped: tuple[str, ...]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Everything happens once; the tests look at what was sent."""
    with a_receiver() as receiver:
        yield asyncio.run(_story(tmp_path_factory.mktemp("telemetry"), receiver))


async def _story(folder: Path, sent: Receiver) -> Story:
    (founder,) = await genesis(folder)
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": sent.url,
        "RATE_LIMIT_VOUCH": "1",
        "MOLTNET_ENTRIES_PER_AGENT": "1",
        **QUICK,
    }
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment |= {"OTEL_METRICS_EXPORTER": "otlp,prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": str(port)}
    async with serving(folder, **environment) as lives, serving(folder, **environment) as doomed:
        await _write_and_search(doomed, founder["accessToken"], sent)
        voucher = await _use_tool_and_client(doomed, founder)
        with suppress(AssertionError):  # which of them are missing is told below
            await until(lambda: _all_metrics() <= sent.metrics)
        scraped = await _scraped(lives.url), *await _scraped_from(port)
        await _sign_across(doomed, lives, founder, sent)
    secrets = (*(founder[name] for name in ("accessToken", "clientSecret", "privateKey")), voucher)
    return Story(sent, founder["identityId"], secrets, scraped)


async def _scraped(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        return await answer.text()


async def _scraped_from(port: int) -> list[str]:
    """What both processes serve, at this port and the next one that was free."""
    scraped: list[str] = []
    while len(scraped) < 2:
        with suppress(aiohttp.ClientConnectionError):
            scraped.append(await _scraped(f"http://localhost:{port}"))
        port += 1
    return scraped


async def _write_and_search(server: LiveServer, token: str, sent: Receiver) -> None:
    async with server.session(token) as session:
        diary = await first_diary(session)
        entry = {"content": CONTENT, "title": TITLE, "tags": [TAG]}
        status, _ = await asked(session, "POST", f"/diaries/{diary}/entries", json=entry, headers=_parent(WRITE))
        assert status == 201
        query = {"query": QUERY, "diaryId": diary}
        assert (await asked(session, "POST", "/diaries/search", json=query, headers=_parent(SEARCH)))[0] == 200
        assert (await asked(session, "GET", f"/public/feed/search?q={QUERY}"))[0] == 200
        status, answer = await asked(session, "POST", f"/diaries/{diary}/entries", json={"content": ASIDE})
        assert (status, "You may have stored 1 entries" in answer["detail"]) == (429, True)
        wrong = {"content": "", "title": ASIDE}
        assert (await asked(session, "POST", f"/diaries/{diary}/entries", json=wrong))[0] == 400
    await until(lambda: sent.find(SEARCH, "POST /diaries/search") is not None)


async def _use_tool_and_client(server: LiveServer, founder: dict[str, str]) -> str:
    headers = {"Authorization": f"Bearer {founder['accessToken']}", **_parent(TOOL)}
    async with mcp_client(server.url, headers) as client:
        await used(client, "crypto_prepare_signature", message=SAID)
    credentials = moltnet.ClientSecret.of(founder["clientId"], founder["clientSecret"])
    async with remote_agent(server.url, credentials) as agent:
        span = SpanContext(int(CLIENT, 16), int(SPAN, 16), is_remote=False, trace_flags=TraceFlags(1))
        with use_span(NonRecordingSpan(span)):
            code = (await agent.vouch.issue()).code
    async with server.session(founder["accessToken"]) as session:
        assert (await asked(session, "POST", "/vouch"))[0] == 429
    return code


async def _sign_across(doomed: LiveServer, lives: LiveServer, founder: dict[str, str], sent: Receiver) -> None:
    async with doomed.session(founder["accessToken"]) as session:
        asking = {"json": {"message": MESSAGE}, "headers": _parent(SIGN)}
        _, request = await asked(session, "POST", "/crypto/signing-requests", **asking)
    await until(lambda: sent.find(SIGN, "POST /crypto/signing-requests") is not None)
    await doomed.kill()
    signature = NaclKeyPair(base64.b64decode(founder["privateKey"])).sign(base64.b64decode(request["signingInput"]))
    async with lives.session(founder["accessToken"]) as session:
        path = f"/crypto/signing-requests/{request['id']}/sign"
        status, answer = await asked(session, "POST", path, json={"signature": signature})
    assert (status, answer["valid"]) == (200, True)
    await until(lambda: sent.find(SIGN, "workflow requestSignature") is not None)


def _parent(trace_id: str) -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-{SPAN}-01"}


def _all_metrics() -> set[str]:
    return {value.name for value in vars(telemetry).values() if isinstance(value, Metric)}


def test_write_is_one_trace_from_the_request_to_its_statements(story: Story) -> None:
    request = story.sent.find(WRITE, ROUTE)
    assert request.span.parent_span_id.hex() == SPAN
    expected = {"http.route": "/diaries/{diaryId}/entries", "http.response.status_code": 201, "enduser.id": story.agent}
    assert expected.items() <= request.attributes.items()
    for name in ("entries.keep", "embedding wait", "embedding inference", "unit of work", "insert diary_entries"):
        assert ROUTE in story.sent.ancestors(story.sent.find(WRITE, name)), name
    assert story.sent.find(WRITE, "insert diary_entries").attributes["db.system.name"] == "postgresql"


def test_tool_is_a_part_of_its_message(story: Story) -> None:
    assert story.sent.ancestors(story.sent.find(TOOL, "mcp createSigningRequest")) == ["POST /mcp"]


def test_client_continues_the_trace_of_its_program(story: Story) -> None:
    assert story.sent.find(CLIENT, "POST /vouch").span.parent_span_id.hex() == SPAN


def test_workflow_goes_on_in_the_same_trace_in_another_process(story: Story) -> None:
    began, continued, step = (story.sent.find(SIGN, name) for name in ("start ", "workflow ", "step "))
    assert began.process != continued.process == step.process
    assert story.sent.ancestors(continued)[-1] == "POST /crypto/signing-requests"
    assert story.sent.ancestors(step)[0] == "workflow requestSignature"


def test_every_metric_is_sent(story: Story) -> None:
    assert _all_metrics() - story.sent.metrics == set()


def test_processes_serve_their_numbers_one_beside_the_other_and_apart_from_the_api(story: Story) -> None:
    api, first, second = story.scraped
    assert "moltnet_entries" not in api
    # The second one was asked to write; both count what is stored.
    assert ["moltnet_searches_total{" in text for text in (first, second)] == [False, True]
    assert all("moltnet_entries " in text for text in (first, second))


@pytest.mark.parametrize("expression", [*dashboard_expressions(), *alert_expressions()])
def test_dashboard_and_alerts_ask_for_what_is_served(story: Story, expression: str) -> None:
    served = {
        sample.name: sample for family in text_string_to_metric_families(story.scraped[2]) for sample in family.samples
    }
    names = set(METRIC.findall(expression))
    assert names
    assert names <= set(served)
    # `job` and `instance` are the scraper's own, and `le` only a histogram has.
    labels = {label for name in names for label in served[name].labels} | {"job", "instance"}
    assert set(LABEL.findall(expression)) | _grouped_by(expression) <= labels


def test_line_of_the_log_names_the_trace_of_its_request(story: Story) -> None:
    lines = [record.body.string_value for record in story.sent.logs if record.trace_id.hex() == WRITE]
    assert [WRITE in line and '"status":201' in line for line in lines] == [True]


def test_nothing_of_what_agents_write_ask_and_keep_is_sent(story: Story) -> None:
    everything = b"".join(story.sent.raw)
    assert b"insert diary_entries" in everything
    assert [text for text in (*PLANTED, *story.secrets) if text.encode() in everything] == []
