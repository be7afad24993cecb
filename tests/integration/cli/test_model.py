"""`moltnet model`: what an operator sees of the models, and a switch from the first command to the last entry."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.entrypoints.container.models import forms
from tests.support.commands import Ended, heard, run, text_of
from tests.support.live_server import asked, first_diary, genesis, serving
from tests.support.tiny_model import write_tiny_expansion, write_tiny_model

pytestmark = pytest.mark.real

CONTENTS = ("The harbour freezes in January.", "Nobody writes letters any more.", "Mara keeps bees on the roof.")


async def model(data: Path, *arguments: str, **environment: str) -> Ended:
    return await run("model", *arguments, "--data", str(data), **environment)


async def roles(data: Path, **environment: str) -> dict[str, tuple[str | None, str, int]]:
    listed = (await model(data, "list", "--json", **environment)).printed
    return {each["name"].partition("@")[0]: (each["role"], each["where"], each["passages"]) for each in listed}


def installed() -> list[str]:
    """The models of the installed directory, without their marks; a new network begins with the first."""
    return [form.name.partition("@")[0] for form in forms(None)]


@pytest.fixture
async def data(tmp_path: Path) -> AsyncIterator[Path]:
    """The data folder of a network with three entries, whose server is gone; its database runs all the time."""
    (founder,) = await genesis(tmp_path / "data")
    with EmbeddedPostgres(tmp_path / "data"):
        async with serving(tmp_path / "data") as server, server.session(founder["accessToken"]) as session:
            diary = await first_diary(session)
            for content in CONTENTS:
                assert (await asked(session, "POST", f"/diaries/{diary}/entries", json={"content": content}))[0] == 201
        yield tmp_path / "data"


async def test_a_switch_without_a_server_is_done_by_the_command_itself(data: Path, tmp_path: Path) -> None:
    tiny = write_tiny_model(tmp_path / "tiny").path
    first, *others = installed()
    unused = dict.fromkeys((first, *others), (None, "installed", 0))
    assert await roles(data) == unused | {first: ("serving", "installed", 3)}
    set_but_unused = await roles(data, MOLTNET_MODEL=str(tiny))
    assert set_but_unused == unused | {first: ("serving", "installed", 3), "tiny": (None, str(tiny), 0)}

    begun = await model(data, "use", str(tiny))
    assert (begun.status, begun.out) == (0, "")
    assert begun.err.startswith("Switching to tiny@")
    status = (await model(data, "status", "--json")).printed
    assert (status["target"].partition("@")[0], status["done"], status["total"], status["complete"]) == (
        *("tiny", 0, 3),
        False,
    )
    assert "0 of 3 entries are embedded (0%)." in (await model(data, "status")).out

    ended = await model(data, "status", "--wait", "--json")
    assert ended.status == 0, ended.err
    assert (ended.printed["serving"].partition("@")[0], ended.printed["complete"]) == ("tiny", True)
    assert await roles(data) == unused | {"tiny": ("serving", str(tiny), 3)}

    back = await model(data, "use", "all-MiniLM-L6-v2", "--wait")
    assert back.status == 0, back.err
    assert back.out.startswith("all-MiniLM-L6-v2@")
    assert back.out.endswith("serves; all 3 entries are embedded.\n")
    table = (await model(data, "list")).out.splitlines()
    (serving,) = [line for line in table[:-1] if line.startswith("* ")]
    assert serving.startswith("* all-MiniLM-L6-v2@")
    assert serving.split()[2:] == ["3", "3", "installed"]


async def test_a_running_server_follows_the_command_and_a_restart_finds_the_model_again(
    data: Path, tmp_path: Path
) -> None:
    tiny = write_tiny_model(tmp_path / "tiny").path
    (founder,) = await genesis(data)
    async with serving(data, "--workers", "2") as server, server.session(founder["accessToken"]) as session:
        assert (await model(data, "use", str(tiny), "--wait")).status == 0
        diary = await first_diary(session)
        for count in range(6):  # by either worker, whether or not it has noticed
            body = {"content": f"A heron, number {count}"}
            assert (await asked(session, "POST", f"/diaries/{diary}/entries", json=body))[0] == 201
            body = {"diaryId": diary, "query": "heron"}
            _, answer = await asked(session, "POST", "/diaries/search", json=body)
            assert (answer["searchType"], len(answer["results"])) == ("hybrid", count + 1)
    log, elsewhere = tmp_path / "log", write_tiny_model(tmp_path / "elsewhere", scale=2).path
    async with (
        heard("serve", "--data", str(data), log=log, MOLTNET_MODEL=str(elsewhere)) as server,
        server.session(founder["accessToken"]) as session,
    ):
        body = {"diaryId": diary, "query": "heron"}
        assert (await asked(session, "POST", "/diaries/search", json=body))[1]["searchType"] == "hybrid"
        _, discovered = await asked(session, "GET", "/.well-known/moltnet.json")
    assert discovered["capabilities"]["diary"]["embedding_model"].startswith("tiny@")
    told = f"MOLTNET_MODEL is not used, another model serves this network; to switch: moltnet model use {elsewhere}"
    assert told in text_of(log)
    assert "NO EMBEDDING MODEL" not in text_of(log)
    assert (await roles(data))["tiny"] == ("serving", str(tiny), 9)


async def test_both_models_of_a_folder_serve_in_turns(data: Path, tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path / "two").path
    write_tiny_expansion(folder)
    assert (await model(data, "use", str(folder), "--wait")).out.startswith("tiny+tiny-two@")
    listed = await roles(data)
    assert listed["tiny+tiny-two"] == ("serving", str(folder), 3)
    (founder,) = await genesis(data)
    async with serving(data) as server, server.session(founder["accessToken"]) as session:
        diary = await first_diary(session)
        body: dict[str, object] = {"content": "Bees on the roof"}
        assert (await asked(session, "POST", f"/diaries/{diary}/entries", json=body))[0] == 201
        body = {"diaryId": diary, "query": "bees", "explain": True}
        _, answer = await asked(session, "POST", "/diaries/search", json=body)
        assert [each["explanation"]["expansion"] > 0 for each in answer["results"]] == [True]
    first_alone = await model(data, "use", str(folder), "--wait", MOLTNET_EXPANSION="no")
    assert first_alone.out.startswith("tiny@")
    assert (await roles(data))["tiny"] == ("serving", str(folder), 4)


async def test_a_model_that_does_not_load_is_refused_with_a_sentence(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    broken = write_tiny_model(tmp_path / "broken").path
    (broken / "moltnet-model.json").write_text(json.dumps({"name": "x", "max_tokens": 8, "pooling": "mean"}))
    wide = write_tiny_model(tmp_path / "wide", width=32).path
    before = (await model(data, "status", "--json")).printed
    for called, told in (
        (str(tmp_path / "empty"), f"The model directory {tmp_path / 'empty'} has no model.onnx"),
        (str(broken), "moltnet-model.json: max_tokens must be over"),
        (str(wide), "model.onnx gives 32 numbers for a text, not 384"),
        ("gone", "There is no model 'gone': name the directory of one, or one of these: default, all-MiniLM-L6-v2"),
        ("", "There is no model '': "),
        ("x" * 5000, f"There is no model '{'x' * 5000}'"),
    ):
        assert (await model(data, "use", called)).refusal.startswith(told)
    assert (await model(data, "status", "--json")).printed == before


async def test_a_network_that_never_had_a_model_takes_the_one_that_is_named(tmp_path: Path) -> None:
    tiny = write_tiny_model(tmp_path / "tiny").path
    assert "No model serves this network yet" in (await model(tmp_path / "data", "status")).out
    used = await model(tmp_path / "data", "use", str(tiny), "--wait")
    assert used.err.startswith("tiny@")
    assert used.err.endswith(" serves this network.\n")
    assert used.out.endswith("serves; all 0 entries are embedded.\n")
