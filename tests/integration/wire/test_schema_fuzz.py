"""Whatever a request is that can be made from the served document, no answer is a 5xx, and each is as declared.

The agent that asks is registered, and most ids are replaced by those of things that are there.
"""

import asyncio
import threading
from collections.abc import Iterator
from urllib.parse import quote

import attrs
import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from moltnet.entrypoints.rest.routes import ROUTES
from tests.integration.wire.stage import Stage, a_stage

EXAMPLES = [7, pytest.param(60, marks=pytest.mark.soak)]  # requests of each operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Who asks: the owner, but where somebody else is meant, or would be locked out afterwards.
ASKERS = {"rotateClientSecret": "guest", "acceptDiaryInvitation": "invited", "declineDiaryInvitation": "invited"}
# What the id of a path is the id of, where it is not a diary's.
IDS = {"/invitations/": "invitation", "/signing-requests/": "request", "/public/": "public.entry"}
LINE_MAX = 8_000
# What a request may take away is not what the others are about.
LOST = {"shared": "lent", "shared.entry": "lent.entry"}


@attrs.frozen
class FuzzedServer:
    """A stage that is served by a thread of its own, and what the requests need of it."""

    url: str
    tokens: dict[str, str]
    names: dict[str, str]


@pytest.fixture(scope="module")
def served() -> Iterator[FuzzedServer]:
    """The stage, until the module's tests are over."""
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    told: list[FuzzedServer] = []

    async def serve() -> None:
        async with a_stage() as stage:
            told.append(await _served(stage))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield told[0]
    loop.call_soon_threadsafe(done.set)
    thread.join(30)
    loop.close()


@pytest.fixture(scope="module")
def operations(served: FuzzedServer):
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    found = [each.ok() for each in schema.get_all_operations()]
    return {each.definition.raw["operationId"]: each for each in found}


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", [route.operation_id for route in ROUTES if route.documented])
def test_answer_is_as_declared_and_never_a_fault_of_ours(served, operations, name, examples):
    token = served.tokens[ASKERS.get(name, "owner")]
    requests = st.one_of(operations[name].as_strategy(generation_mode=mode) for mode in GenerationMode)

    @given(case=requests, there=st.sampled_from([True, True, True, False]))
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def holds(case, there):
        if there:
            _place(case, served)
        # The server's HTTP parser refuses longer lines before there is a request.
        assume(all(len(quote(str(part))) < LINE_MAX for part in (case.query, case.headers, case.path_parameters)))
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    holds()


async def _served(stage: Stage) -> FuzzedServer:
    tokens = {who: await stage.token_of(who) for who in ("owner", *ASKERS.values())}
    return FuzzedServer(str(stage.http.server.make_url("")).rstrip("/"), tokens, stage.names)


def _place(case, served: FuzzedServer) -> None:
    """Puts the ids of things that are there where the document asks for ids."""
    names = served.names
    if case.method == "DELETE":
        names = names | {lost: names[spared] for lost, spared in LOST.items()}
    ids = {"diaryId": names["shared"], "entryId": names["shared.entry"]}
    ids |= {"fingerprint": names["reader.fingerprint"], "voucher_code": names["voucher"]}
    ids["id"] = next((names[thing] for part, thing in IDS.items() if part in case.path), names["shared"])
    for part in (case.path_parameters, case.query, case.body):
        if not isinstance(part, dict):
            continue
        part.update({name: value for name, value in ids.items() if name in part})
