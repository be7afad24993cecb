"""Where an operator looks at the models of a network and switches it to another one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from moltnet.adapters.memory.workers import MemoryWorkers
from moltnet.adapters.system.clock import SystemClock
from moltnet.adapters.system.randomness import SystemRandomness
from moltnet.domain.errors import Invalid
from moltnet.domain.model_migration import ModelReference
from moltnet.domain.search import EmbedderUnavailable, ModelName
from moltnet.domain.services.model_migration import ModelMigrationService
from moltnet.domain.services.models import Models, ModelSource
from moltnet.domain.services.reembedding import ReembeddingService
from moltnet.entrypoints.container.databases import database
from moltnet.entrypoints.container.models import ModelDirectories, load_model, read_model
from moltnet.entrypoints.settings import Settings

DEFAULT = "default"


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
    declared: Path | None

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
        directory = await asyncio.to_thread(_directory, called) or await self._locate(called)
        embedder = await asyncio.to_thread(load_model, directory, 1)
        await embedder.close()
        return ModelReference(embedder.model, str(directory) if directory else None)

    async def _locate(self, called: str) -> Path | None:
        if called == DEFAULT:
            return None
        all_models = await self.all_models()
        for model in all_models:
            if called in {model.name, model.name.partition("@")[0]} and model.reference:
                return Path(model.reference.directory) if model.reference.directory else None
        names = ", ".join([DEFAULT, *(model.name for model in all_models if model.reference)])
        raise ModelUnknown(f"There is no model {called!r}: name the directory of one, or one of these: {names}")

    def _model_references(self) -> dict[ModelName, ModelReference]:
        """The models that can be had without having been named to the network."""
        references: dict[ModelName, ModelReference] = {}
        for directory in (None, self.declared):
            try:
                name = read_model(directory).name
            except EmbedderUnavailable:
                continue
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
    from moltnet.adapters.postgres.migrate import migrate as migrate_database  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    with database(settings) as address:
        await migrate_database(address)
        loader = ModelDirectories(settings.model_dir, settings.embedding_threads)
        clock = SystemClock()
        async with PostgresStorage.open(address, max_connections=2) as storage:
            models = Models(None, ModelSource(storage=storage, loader=loader, clock=clock))
            try:
                yield ModelAdministration(
                    model_migration=ModelMigrationService(storage=storage),
                    reembedding=ReembeddingService(
                        storage=storage,
                        models=models,
                        workers=MemoryWorkers(),
                        clock=clock,
                        randomness=SystemRandomness(),
                    ),
                    declared=settings.model_dir,
                )
            finally:
                await loader.aclose()
