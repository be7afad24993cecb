"""Other stores of memories, each as its own documents open it, with the embedding function that all share.

Runs in the environment of `requirements/peers.lock`; each library is imported where its store is opened.
"""

# ruff: noqa: PLC0415

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from bench.peers.store import FOUND, Refused, Store
from moltnet.adapters.onnx.embedding import TextTokenizer
from moltnet.adapters.onnx.inference import Inference
from moltnet.adapters.onnx.model_dir import TOKENIZER, ModelDirectory
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.domain.indexing import DIMENSIONS

EVERYTHING = 100_000
OWNER = "owner"


class Embedding:
    """The vectors of texts by a server's own model, on the calling thread."""

    def __init__(self, model: Path) -> None:
        directory = ModelDirectory.read(model, expands=False)
        self._inference, self._tokens = Inference(directory), TextTokenizer(model / TOKENIZER)
        self._longest = directory.declaration.max_tokens

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (texts, 384), float32, each of unit length."""
        vectors = [self._inference.vector(self._tokens.ids(text, self._longest)).data for text in texts]
        return np.frombuffer(b"".join(vectors), "<f2").astype(np.float32).reshape(len(texts), DIMENSIONS)

    def lists(self, texts: Sequence[str]) -> list[list[float]]:
        """The same as lists of numbers."""
        return [[float(number) for number in vector] for vector in self(texts)]


@asynccontextmanager
async def chromadb(folder: Path, model: Path) -> AsyncIterator[Store]:
    """A persistent client with one collection."""
    import chromadb
    from chromadb.config import Settings

    embed = Embedding(model)

    class Function(chromadb.EmbeddingFunction[chromadb.Documents]):
        def __init__(self) -> None:
            pass

        def __call__(self, input: chromadb.Documents) -> chromadb.Embeddings:  # noqa: A002  # the library's name
            return list(embed(input))

        @staticmethod
        def name() -> str:
            return "shared"

        def get_config(self) -> dict[str, Any]:
            return {}

        @staticmethod
        def build_from_config(_: dict[str, Any]) -> "Function":
            return Function()

    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    configuration = {"hnsw": {"space": "cosine"}}
    collection = client.get_or_create_collection(OWNER, embedding_function=Function(), configuration=configuration)

    class Chroma(Store):
        def write(self, text: str) -> None:
            collection.add(ids=[str(uuid4())], documents=[text])

        def search(self, text: str) -> list[str]:
            return list(collection.query(query_texts=[text], n_results=FOUND)["documents"][0])

        def contents(self) -> list[str]:
            return list(collection.get()["documents"])

    yield Chroma()


@asynccontextmanager
async def mem0(folder: Path, model: Path) -> AsyncIterator[Store]:
    """Its default vector store in a folder; `infer=False`, so that no language model is asked."""
    from mem0 import Memory

    embed = Embedding(model)

    class Embedder:
        def embed(self, text: str, _: str | None = None, **__: str) -> list[float]:
            return embed.lists([text])[0]

    place = {"path": str(folder / "qdrant"), "on_disk": True, "embedding_model_dims": DIMENSIONS}
    memory = Memory.from_config(
        {
            "vector_store": {"provider": "qdrant", "config": place},
            "embedder": {"provider": "openai", "config": {"api_key": "none"}},
            "llm": {"provider": "openai", "config": {"api_key": "none"}},
            "history_db_path": str(folder / "history.db"),
        }
    )
    memory.embedding_model = Embedder()

    class Mem0(Store):
        def write(self, text: str) -> None:
            if not memory.add(text, user_id=OWNER, infer=False)["results"]:
                raise Refused("it stored nothing")

        def search(self, text: str) -> list[str]:
            found = memory.search(text, filters={"user_id": OWNER}, top_k=FOUND)
            return [each["memory"] for each in found["results"]]

        def contents(self) -> list[str]:
            listed = memory.get_all(filters={"user_id": OWNER}, top_k=EVERYTHING)
            return [each["memory"] for each in listed["results"]]

    yield Mem0()


@asynccontextmanager
async def mcp_memory_service(folder: Path, model: Path) -> AsyncIterator[Store]:
    """Its SQLite storage; near duplicates are kept apart, since many of the memories are."""
    from mcp_memory_service.models.memory import Memory
    from mcp_memory_service.storage.sqlite_vec import _MODEL_CACHE, SqliteVecMemoryStorage
    from mcp_memory_service.utils import generate_content_hash

    embed = Embedding(model)

    class Encoder:
        embedding_dimension = DIMENSIONS

        def encode(self, texts: Sequence[str], **_: bool) -> np.ndarray:
            return embed(texts)

    _MODEL_CACHE["onnx_all-MiniLM-L6-v2"] = Encoder()
    storage = SqliteVecMemoryStorage(str(folder / "memories.db"))
    await storage.initialize()

    class McpMemoryService(Store):
        async def write(self, text: str) -> None:
            is_stored, why = await storage.store(
                Memory(content=text, content_hash=generate_content_hash(text)), skip_semantic_dedup=True
            )
            if not is_stored:
                raise Refused(str(why))

        async def search(self, text: str) -> list[str]:
            return [each.memory.content for each in await storage.retrieve(text, n_results=FOUND)]

        async def contents(self) -> list[str]:
            return [each.content for each in await storage.get_all_memories(limit=EVERYTHING)]

    yield McpMemoryService()
    await storage.close()


@asynccontextmanager
async def langgraph(folder: Path, model: Path) -> AsyncIterator[Store]:
    """LangGraph's store on a PostgreSQL that is set up as MoltNet's own."""
    from langgraph.store.postgres.aio import AsyncPostgresStore

    index = {"dims": DIMENSIONS, "embed": Embedding(model).lists, "fields": ["text"]}
    namespace = (OWNER, "memories")
    with EmbeddedPostgres(folder) as postgres:
        async with AsyncPostgresStore.from_conn_string(
            postgres.start(), pool_config={"min_size": 1, "max_size": 10}, index=index
        ) as store:
            await store.setup()

            class LangGraph(Store):
                async def write(self, text: str) -> None:
                    await store.aput(namespace, str(uuid4()), {"text": text})

                async def search(self, text: str) -> list[str]:
                    return [each.value["text"] for each in await store.asearch(namespace, query=text, limit=FOUND)]

                async def contents(self) -> list[str]:
                    return [each.value["text"] for each in await store.asearch(namespace, limit=EVERYTHING)]

            yield LangGraph()


OTHERS: dict[str, tuple[str, Callable[[Path, Path], Any]]] = {
    "chromadb": ("chromadb", chromadb),
    "mem0": ("mem0ai", mem0),
    "mcp-memory-service": ("mcp-memory-service", mcp_memory_service),
    "LangGraph": ("langgraph-checkpoint-postgres", langgraph),
}
"""By the name in the table: the package, and what opens a store in a folder with a model."""
