"""What `deploy/ory` says to the services is what the adapters and the webhooks rely on."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from moltnet.domain.permissions import ENTRY_RIGHTS, RIGHTS, EntryRight, Link, Namespace, Relation, Right
from moltnet.entrypoints.rest.routes import ROUTES
from tests.support.ory.hydra import TOP_LEVEL_CLAIMS
from tests.support.ory.keto import NAMESPACES

DEPLOY = Path(__file__).parents[3] / "deploy" / "ory"
CLASS = re.compile(r"class (\w+) implements Namespace \{(.*?)^\}", re.DOTALL | re.MULTILINE)
RELATED = re.compile(r"^    (\w+): (\w+)\[\]", re.MULTILINE)
PERMIT = re.compile(r"(\w+): \(ctx: Context\): boolean =>(.*?),\n", re.DOTALL)


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def members(value: Any, name: str) -> Iterator[Any]:
    """Every member of this name, at any depth."""
    if isinstance(value, Mapping):
        yield from (each for key, each in value.items() if key == name)
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from members(each, name)


def test_hooks_go_to_routes_that_there_are_with_the_key_they_take():
    hooks = [each for each in members(read("kratos/kratos.yml"), "config") if "url" in each]
    hooks.append(read("hydra/hydra.yml")["oauth2"]["token_hook"])
    told = {urlsplit(hook["url"]).path for hook in hooks}
    assert told == {route.path for route in ROUTES if route.path.startswith("/hooks/")}
    for hook in hooks:
        key = {"in": "header", "name": "X-Ory-Api-Key", "value": "ORY_ACTION_API_KEY"}
        assert hook["auth"] == {"type": "api_key", "config": key}


def test_kratos_asks_before_it_stores_and_reports_a_registration_after():
    jsonnet = (DEPLOY / "kratos" / "hook.jsonnet").read_bytes()
    for hook in members(read("kratos/kratos.yml"), "config"):
        if "url" in hook:
            assert base64.b64decode(hook["body"].removeprefix("base64://")) == jsonnet
            asks_before = not hook["url"].endswith("after-registration")
            assert hook["response"] == {"ignore": False, "parse": asks_before}


def test_kratos_lets_agents_recover_by_code():
    config = read("kratos/kratos.yml")
    assert config["feature_flags"]["use_continue_with_transitions"] is True
    methods, flows = config["selfservice"]["methods"], config["selfservice"]["flows"]
    assert (methods["code"]["enabled"], flows["recovery"]["use"], flows["recovery"]["enabled"]) == (True, "code", True)
    assert flows["registration"]["enabled"] is False
    assert methods["password"]["config"]["haveibeenpwned_enabled"] is False


def test_schema_is_found_by_its_name_and_takes_an_agents_traits():
    schema = json.loads((DEPLOY / "kratos" / "agent.schema.json").read_text(encoding="utf-8"))
    traits = schema["properties"]["traits"]
    assert "agent" in schema["$id"]
    assert set(traits["required"]) == set(traits["properties"]) == {"public_key", "voucher_code"}
    assert traits["additionalProperties"] is False
    (listed,) = read("kratos/kratos.yml")["identity"]["schemas"]
    assert Path(listed["url"]).name == "agent.schema.json"


def test_hydra_signs_tokens_that_say_whose_they_are():
    config = read("hydra/hydra.yml")
    assert config["strategies"]["access_token"] == "jwt"
    assert set(config["oauth2"]["allowed_top_level_claims"]) == TOP_LEVEL_CLAIMS
    assert config["oauth2"]["expose_internal_errors"] is False


def test_keto_answers_as_many_questions_at_once_as_it_is_asked():
    from moltnet.adapters.ory.relations import BATCH  # noqa: PLC0415 - takes a second to import

    limits = read("keto/keto.yml")["limit"]
    assert (limits["max_batch_check_size"], limits["max_read_depth"]) == (BATCH, 5)


def test_permission_model_is_that_of_the_domain():
    """Read as far as our own file goes: classes, relations, and permits by relations or by the parent's permit."""
    model = dict(CLASS.findall((DEPLOY / "keto" / "permissions.ts").read_text()))
    assert set(model) == set(Namespace)
    permits = {name: dict(PERMIT.findall(body)) for name, body in model.items()}
    assert {name: {each for each, _ in RELATED.findall(body)} for name, body in model.items()} == {
        Namespace.AGENT: {Link.SELF},
        Namespace.DIARY: set(Relation),
        Namespace.DIARY_ENTRY: {Link.PARENT},
    }
    assert set(permits[Namespace.DIARY]) == set(Right)
    for right, text in permits[Namespace.DIARY].items():
        given_by = set(re.findall(r"related\.(\w+)\.includes\(ctx\.subject\)", text))
        assert given_by == {relation for relation in Relation if Right(right) in RIGHTS[relation]}
    inherited = {
        right: re.findall(r"parent\.traverse\(\(diary\) => diary\.permits\.(\w+)\(ctx\)\)", text)
        for right, text in permits[Namespace.DIARY_ENTRY].items()
    }
    assert inherited == {right.value: [ENTRY_RIGHTS[right].value] for right in EntryRight}


@pytest.mark.parametrize("name", Namespace)
def test_stand_in_has_the_same_model(name: Namespace):
    model = NAMESPACES[name]
    if name is Namespace.DIARY:
        assert {right: set(given_by) for right, given_by in model.permits.items()} == {
            right.value: {relation.value for relation in Relation if right in RIGHTS[relation]} for right in Right
        }
    if name is Namespace.DIARY_ENTRY:
        assert model.parent_permits == {right.value: ENTRY_RIGHTS[right].value for right in EntryRight}


def test_containers_are_given_what_they_read_and_open_to_this_machine_alone():
    compose = read("compose.yml")
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).is_dir()
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yml").read_text(encoding="utf-8")))
    assert asked == set(re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text(encoding="utf-8"), re.MULTILINE))
