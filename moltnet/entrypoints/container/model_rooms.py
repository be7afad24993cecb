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
from moltnet.domain.search import EmbedderUnavailable, ModelName
from moltnet.domain.services.models import Following, Models
from moltnet.domain.services.reembedding import ReembeddingService
from moltnet.domain.services.switching import SwitchingService
from moltnet.domain.switching import ModelPlace
from moltnet.entrypoints.container.databases import database
from moltnet.entrypoints.container.models import ModelDirectories, load_model, read_model
from moltnet.entrypoints.settings import Settings

DEFAULT = "default"


class ModelUnknown(Invalid):
    """What an operator calls a model is neither the name of a known one nor a directory."""

    code = "MODEL_UNKNOWN"


@attrs.frozen(kw_only=True)
class KnownModel:
    """A model that a network has vectors of, uses, or could use: `place` is None when nobody knows where it is."""

    name: ModelName
    role: str | None
    place: ModelPlace | None
    entries: int = 0
    passages: int = 0

    @property
    def where(self) -> str:
        """Its directory, or that it is the installed one."""
        if self.place is None:
            return "unknown"
        return self.place.directory or "installed"


@attrs.frozen(kw_only=True)
class ModelRoom:
    """The models of one network; `reembedding` takes part in the work."""

    switching: SwitchingService
    reembedding: ReembeddingService
    declared: Path | None

    async def known(self) -> list[KnownModel]:
        """Every model that there are vectors of, that is used, or that is installed or set; by name."""
        state = await self.switching.state()
        counts = {count.model: count for count in await self.switching.counts() if count.model}
        places = await asyncio.to_thread(self._places)
        used = {"serving": state.serving, "target": state.target}
        places |= {place.name: place for place in used.values() if place}
        roles = {place.name: role for role, place in used.items() if place}
        return [
            KnownModel(
                name=name,
                role=roles.get(name),
                place=places.get(name),
                entries=counts[name].entries if name in counts else 0,
                passages=counts[name].passages if name in counts else 0,
            )
            for name in sorted({*places, *counts})
        ]

    async def meant(self, called: str) -> ModelPlace:
        """The model that is called so: a directory, a known name with or without its mark, or `default`.

        It has been loaded once. Raises ModelUnknown, and EmbedderUnavailable for one that does not load.
        """
        directory = await asyncio.to_thread(_directory, called) or await self._place(called)
        embedder = await asyncio.to_thread(load_model, directory, 1)
        await embedder.close()
        return ModelPlace(embedder.model, str(directory) if directory else None)

    async def _place(self, called: str) -> Path | None:
        if called == DEFAULT:
            return None
        known = await self.known()
        for model in known:
            if called in {model.name, model.name.partition("@")[0]} and model.place:
                return Path(model.place.directory) if model.place.directory else None
        names = ", ".join([DEFAULT, *(model.name for model in known if model.place)])
        raise ModelUnknown(f"There is no model {called!r}: name the directory of one, or one of these: {names}")

    def _places(self) -> dict[ModelName, ModelPlace]:
        """The models that can be had without having been named to the network."""
        places: dict[ModelName, ModelPlace] = {}
        for directory in (None, self.declared):
            try:
                name = read_model(directory).name
            except EmbedderUnavailable:
                continue
            places.setdefault(name, ModelPlace(name, str(directory.absolute()) if directory else None))
        return places


def _directory(called: str) -> Path | None:
    try:
        return Path(called).absolute() if called and Path(called).is_dir() else None
    except OSError:  # too long for a name, for example
        return None


@asynccontextmanager
async def model_room(settings: Settings) -> AsyncIterator[ModelRoom]:
    """The models of the network in a database, which is migrated first; works beside running servers."""
    from moltnet.adapters.postgres.migrate import migrate as migrate_database  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    with database(settings) as address:
        await migrate_database(address)
        loader = ModelDirectories(settings.model_dir, settings.embedding_threads)
        clock = SystemClock()
        async with PostgresStorage.open(address, max_connections=2) as storage:
            models = Models(None, Following(storage=storage, loader=loader, clock=clock))
            try:
                yield ModelRoom(
                    switching=SwitchingService(storage=storage),
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
