"""`moltnet doctor` of a network before Ory: each service, the schema, the namespaces and the hook."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from tests.integration.cli.test_doctor import bad, doctor
from tests.support.live_server import genesis
from tests.support.ory import faults as f
from tests.support.ory.server import API_KEY, OryStandIn, an_ory

pytestmark = pytest.mark.real

CHECKS = ["kratos", "hydra", "keto", "agents", "recovery", "tokens", "namespaces", "hook"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose database is migrated and running."""

    folder = tmp_path_factory.mktemp("doctor-ory") / "data"
    with EmbeddedPostgres(folder):
        asyncio.run(genesis(folder))
        yield folder


@pytest.fixture
async def ory() -> AsyncIterator[OryStandIn]:
    """Services that are set up as they should be."""
    async with an_ory(lambda: datetime.now(UTC)) as stand_in:
        stand_in.hydra.token_hook = refusing
        yield stand_in


async def refusing(_: Mapping[str, Any]) -> tuple[int, None]:
    """The network's hook, asked of a client without an agent."""
    return 403, None


def named(ory: OryStandIn) -> dict[str, str]:
    return {
        "ORY_PROJECT_URL": ory.addresses["kratos", "public"],
        "ORY_API_KEY": API_KEY,
        "MOLTNET_ORY_ISSUER": "https://auth.example",
    }


async def test_all_is_well_and_nothing_is_left(data: Path, ory: OryStandIn):
    ended = await doctor(data, "--json", **named(ory))
    assert ended.status == 0, ended.printed
    assert [each["check"] for each in ended.printed][-len(CHECKS) :] == CHECKS
    assert (ory.kratos.identities, ory.hydra.clients, ory.keto.tuples) == ({}, {}, [])


async def test_each_thing_that_is_left_out_is_named(data: Path, ory: OryStandIn):
    ory.kratos.schemas.pop()
    ory.kratos.codes_enabled = False
    ory.keto.namespaces = {name: each for name, each in ory.keto.namespaces.items() if name != "DiaryEntry"}
    ory.hydra.token_hook = None
    told = bad(await doctor(data, "--json", **named(ory) | {"MOLTNET_ORY_ISSUER": "https://other.example"}))
    assert set(told) == {"agents", "recovery", "tokens", "namespaces", "hook"}
    assert told["agents"].endswith("add deploy/ory/kratos/agent.schema.json to it")
    assert "add deploy/ory/kratos/agent.schema.json" in told["recovery"]
    assert told["tokens"].endswith("set MOLTNET_ORY_ISSUER to what it says")
    assert told["namespaces"] == "Keto does not know the namespace DiaryEntry: give it deploy/ory/keto/permissions.ts"
    assert told["hook"].startswith("Hydra calls no hook for the claims of tokens: set oauth2.token_hook")


async def test_service_that_is_down_and_a_key_that_is_wrong(data: Path, ory: OryStandIn):
    ory.faults.always("T9", f.DOWN)
    told = bad(await doctor(data, "--json", **named(ory)))
    assert told == {"keto": "Keto could not list namespaces: it answered 503"}
    told = bad(await doctor(data, "--json", **named(ory) | {"ORY_API_KEY": "another"}))
    assert {name: text.rpartition(": ")[2] for name, text in told.items()} == dict.fromkeys(
        ("kratos", "hydra", "keto"), "it answered 401"
    )


async def test_recovery_without_codes(data: Path, ory: OryStandIn):
    ory.kratos.codes_enabled = False
    told = bad(await doctor(data, "--json", **named(ory)))
    assert "selfservice.methods.code.enabled" in told["recovery"]
    assert ory.kratos.identities == {}


async def test_recovery_that_ends_without_a_session(data: Path, ory: OryStandIn):
    ory.kratos.continues = False
    told = bad(await doctor(data, "--json", **named(ory)))
    assert set(told) == {"recovery"}
    assert told["recovery"].endswith("set feature_flags.use_continue_with_transitions to true")
    assert ory.kratos.identities == {}


async def test_keto_that_answers_fewer_questions_at_once(data: Path, ory: OryStandIn):
    ory.keto.max_batch = 2
    told = bad(await doctor(data, "--json", **named(ory)))
    assert told == {"namespaces": "Keto does not answer 10 questions at once: set limit.max_batch_check_size to 10"}


async def test_release_that_is_too_old(data: Path, ory: OryStandIn):
    ory.faults.always("version", f.Fault(status=200, body='{"version":"v0.11.1-alpha.0"}'))
    told = bad(await doctor(data, "--json", **named(ory)))
    assert set(told) == {"kratos", "hydra", "keto"}
    assert "Keto is v0.11.1-alpha.0, but v" in told["keto"]


async def test_hook_that_fails(data: Path, ory: OryStandIn):
    async def failing(_: Mapping[str, Any]) -> tuple[int, None]:
        return 401, None

    ory.hydra.token_hook = failing
    (told,) = bad(await doctor(data, "--json", **named(ory))).values()
    assert told.startswith("Hydra got no answer from its token hook: see that this network runs")
    assert told.endswith("the key there is ORY_ACTION_API_KEY")
    assert ory.hydra.clients == {}


async def test_schema_of_other_traits(data: Path, ory: OryStandIn):
    ory.kratos.schemas[-1]["schema"]["properties"]["traits"]["properties"].pop("voucher_code")
    (told,) = bad(await doctor(data, "--json", **named(ory))).values()
    assert told == (
        "the identity schema preset://moltnet-agent is another: its traits are not public_key and voucher_code; "
        "use deploy/ory/kratos/agent.schema.json"
    )
