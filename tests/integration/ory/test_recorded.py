"""The stand-in answers every call as the real services did: status, headers, and the shape of the body.

How the answers were recorded: tests/support/ory/recording.py.
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from moltnet.adapters.memory.system import MemoryClock
from tests.support.ory.recording import SETTINGS, kind, recorded
from tests.support.ory.server import API_KEY, OryStandIn

pytestmark = pytest.mark.real

RECORDED = Path(__file__).parents[2] / "support" / "ory" / "recorded"


def fixture(setting: str) -> dict[str, Any]:
    return json.loads((RECORDED / f"{setting}.json").read_text(encoding="utf-8"))


def shape(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer is held to."""
    headers = {
        name: text if name in {"Content-Type", "Cache-Control"} else "" for name, text in answer["headers"].items()
    }
    return {"status": answer["status"], "headers": headers, "body": kind(answer["body"])}


def prepare(stand_in: OryStandIn, setting: str) -> None:
    """Sets the stand-in up as the services were."""
    stand_in.hook(SETTINGS[setting][1])
    stand_in.kratos.schemas = stand_in.kratos.schemas[-1:]
    stand_in.kratos.codes_enabled = setting != "kratos_without_codes"
    stand_in.kratos.continues = setting != "kratos_without_transitions"


@pytest.mark.parametrize("setting", SETTINGS)
async def test_stand_in_answers_as_the_services_did(stand_in: OryStandIn, clock: MemoryClock, setting: str):
    async def wait(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    prepare(stand_in, setting)
    answers, expected = await recorded(setting, stand_in.addresses, API_KEY, wait), fixture(setting)["answers"]
    assert answers.keys() == expected.keys()
    assert [(name, shape(answers[name])) for name in answers if shape(answers[name]) != shape(expected[name])] == []


def test_recordings_are_of_one_release_and_hold_no_secret():
    texts = [(RECORDED / f"{setting}.json").read_text(encoding="utf-8") for setting in SETTINGS]
    assert {tuple(json.loads(text)["versions"].values()) for text in texts} == {("v26.2.0",) * 3}
    assert not re.search(r"ed25519(:|%3A)[\w+/-]{9}|ory_(at|st)_|eyJ", "".join(texts))
