"""The embedding models of this machine: the installed one, the one that is set, and those an operator has named."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

import attrs

from moltnet.adapters.system.clock import SystemClock
from moltnet.domain.model_migration import ModelReference
from moltnet.domain.search import EmbedderUnavailable
from moltnet.domain.services.models import Models, ModelSource
from moltnet.entrypoints.settings import Settings
from moltnet.ports.embedding import Embedder
from moltnet.ports.storage import Storage

if TYPE_CHECKING:
    from moltnet.adapters.onnx.embedding import OnnxEmbedder
    from moltnet.adapters.onnx.model_dir import ModelDirectory

_log = logging.getLogger(__name__)


@asynccontextmanager
async def models_of(settings: Settings, storage: Storage) -> AsyncIterator[Models]:
    """The models a network uses, loaded; a model that cannot be had is missed loudly."""
    loader = ModelDirectories(settings.model_dir, settings.embedding_threads)
    models = Models(None, ModelSource(storage=storage, loader=loader, clock=SystemClock()))
    await models.prepare()
    await _log_other_model(settings.model_dir, models)
    try:
        yield models
    finally:
        await loader.aclose()


async def _log_other_model(declared: Path | None, models: Models) -> None:
    """Says so when the model that is set is not the one in use: the setting is for new networks."""
    state = await models.refresh()
    if declared is None or state.serving is None:
        return
    try:
        name = (await asyncio.to_thread(read_model, declared)).name
    except EmbedderUnavailable as error:
        _log.warning("MOLTNET_MODEL is not used: %s", error.detail)
        return
    if name not in {reference.name for reference in (state.serving, state.target) if reference}:
        _log.warning(
            "MOLTNET_MODEL is not used, another model serves this network; to switch: moltnet model use %s", declared
        )


@attrs.frozen
class ModelDirectories:
    """Loads models from their directories. `declared` is the directory that MOLTNET_MODEL names."""

    declared: Path | None
    threads: int
    # Weakly: a model that served once is let go as soon as the last search that asked it is answered.
    _loaded: WeakSet["OnnxEmbedder"] = attrs.field(init=False, factory=WeakSet)

    async def load(self, reference: ModelReference) -> Embedder:
        """The model of a name, wherever it is, or else the one that lies in its place now."""
        directory = await asyncio.to_thread(self._directory, reference)
        embedder = await asyncio.to_thread(load_model, directory, self.threads)
        self._loaded.add(embedder)
        return embedder

    async def preferred(self) -> tuple[ModelReference, Embedder]:
        """The model that is set, or else the installed one."""
        embedder = await asyncio.to_thread(load_embedder, self.declared, self.threads)
        self._loaded.add(embedder)
        return ModelReference(embedder.model, str(self.declared.absolute()) if self.declared else None), embedder

    async def aclose(self) -> None:
        """Ends the threads of every model that was loaded."""
        for embedder in list(self._loaded):
            await embedder.close()

    def _directory(self, reference: ModelReference) -> Path | None:
        specified = Path(reference.directory) if reference.directory else None
        for directory in (specified, self.declared, None):
            try:
                if read_model(directory).name == reference.name:
                    return directory
            except EmbedderUnavailable:
                continue
        return specified


def load_embedder(declared: Path | None, threads: int) -> "OnnxEmbedder":
    """The model that MOLTNET_MODEL names, or else the installed one; raises EmbedderUnavailable with advice."""
    try:
        return load_model(declared, threads)
    except EmbedderUnavailable as error:
        if declared is None:
            raise
        raise EmbedderUnavailable(f"{error.detail}; correct MOLTNET_MODEL, or unset it") from error


def load_model(directory: Path | None, threads: int) -> "OnnxEmbedder":
    """The model of a directory, or the default one; raises EmbedderUnavailable with advice."""
    found = read_model(directory)
    from moltnet.adapters.onnx.embedding import OnnxEmbedder  # noqa: PLC0415  # heavy

    return OnnxEmbedder.load(found.path, threads)


def read_model(directory: Path | None) -> "ModelDirectory":
    """What a directory says of its model, or that of the default one; raises EmbedderUnavailable with advice."""
    try:
        from moltnet.adapters.onnx.install import default_model  # noqa: PLC0415  # heavy
        from moltnet.adapters.onnx.model_dir import ModelDirectory  # noqa: PLC0415  # heavy
    except ModuleNotFoundError as error:
        raise EmbedderUnavailable(
            f"The package {error.name} is missing: pip install 'moltnet[server,model]'"
        ) from error
    if directory is not None:
        return ModelDirectory.read(directory)
    return ModelDirectory.read(
        default_model(on_building=lambda: _log.info("building the embedding model, which takes some seconds"))
    )
