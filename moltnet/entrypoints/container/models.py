"""The embedding model: loaded beside everything else, and missed loudly."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from moltnet.domain.search import EmbedderUnavailable
from moltnet.entrypoints.settings import Settings
from moltnet.ports.embedding import Embedder

if TYPE_CHECKING:
    from moltnet.adapters.onnx.embedding import OnnxEmbedder

_log = logging.getLogger(__name__)


@asynccontextmanager
async def embedder_of(settings: Settings) -> AsyncIterator[Embedder | None]:
    """The embedding model while it is needed; None, and a loud warning, when it cannot be had."""
    try:
        embedder = await asyncio.to_thread(load_model, settings.model_dir, settings.embedding_threads)
    except EmbedderUnavailable as error:
        _log.warning("NO EMBEDDING MODEL: entries are found by their words only. %s", error.detail)
        yield None
        return
    try:
        yield embedder
    finally:
        await embedder.close()


def load_model(directory: Path | None, threads: int) -> "OnnxEmbedder":
    """The model of a directory, or the default one; raises EmbedderUnavailable with advice."""
    try:
        from moltnet.adapters.onnx.embedding import OnnxEmbedder  # noqa: PLC0415  # heavy
        from moltnet.adapters.onnx.install import default_model  # noqa: PLC0415  # heavy
    except ModuleNotFoundError as error:
        raise EmbedderUnavailable(
            f"The package {error.name} is missing: pip install 'moltnet[server,model]'"
        ) from error
    if directory is None:
        return OnnxEmbedder.load(default_model(), threads)
    try:
        return OnnxEmbedder.load(directory, threads)
    except EmbedderUnavailable as error:
        raise EmbedderUnavailable(f"{error.detail}; correct MOLTNET_MODEL, or unset it") from error
