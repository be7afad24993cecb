"""The embedding models of this machine: the installed one, the one that is set, and those an operator has named."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from moltnet.adapters.system.clock import SystemClock
from moltnet.domain.search import EmbedderUnavailable
from moltnet.domain.services.models import Following, Models
from moltnet.domain.switching import ModelPlace
from moltnet.entrypoints.settings import Settings
from moltnet.ports.embedding import Embedder
from moltnet.ports.storage import Storage

if TYPE_CHECKING:
    from moltnet.adapters.onnx.embedding import OnnxEmbedder
    from moltnet.adapters.onnx.model_dir import ModelDirectory


@asynccontextmanager
async def models_of(settings: Settings, storage: Storage) -> AsyncIterator[Models]:
    """The models a network uses, loaded; a model that cannot be had is missed loudly."""
    loader = ModelDirectories(settings.model_dir, settings.embedding_threads)
    models = Models(None, Following(storage=storage, loader=loader, clock=SystemClock()))
    await models.prepare()
    try:
        yield models
    finally:
        await loader.aclose()


@attrs.frozen
class ModelDirectories:
    """Loads models from their directories. `declared` is the directory that MOLTNET_MODEL names."""

    declared: Path | None
    threads: int
    _loaded: list["OnnxEmbedder"] = attrs.field(init=False, factory=list)

    async def load(self, place: ModelPlace) -> Embedder:
        """The model of a name, wherever it is, or else the one that lies in its place now."""
        directory = await asyncio.to_thread(self._directory, place)
        embedder = await asyncio.to_thread(load_model, directory, self.threads)
        self._loaded.append(embedder)
        return embedder

    async def preferred(self) -> tuple[ModelPlace, Embedder]:
        """The model that is set, or else the installed one."""
        embedder = await asyncio.to_thread(own_model, self.declared, self.threads)
        self._loaded.append(embedder)
        return ModelPlace(embedder.model, str(self.declared.absolute()) if self.declared else None), embedder

    async def aclose(self) -> None:
        """Ends the threads of every model that was loaded."""
        for embedder in self._loaded:
            await embedder.close()

    def _directory(self, place: ModelPlace) -> Path | None:
        own = Path(place.directory) if place.directory else None
        for directory in (own, self.declared, None):
            try:
                if read_model(directory).name == place.name:
                    return directory
            except EmbedderUnavailable:
                continue
        return own


def own_model(declared: Path | None, threads: int) -> "OnnxEmbedder":
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
    return ModelDirectory.read(default_model() if directory is None else directory)
