"""Nothing is told to anybody: what the libraries below us would report on their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

COMPUTE = """
import asyncio
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model

async def main():
    embedder = OnnxEmbedder.load(default_model())
    await embedder.embed_query("a secret")
    await embedder.close()

asyncio.run(main())
"""


def test_the_model_leaves_no_trace_in_the_home_folder(tmp_path: Path) -> None:
    """onnxruntime keeps a device identifier and a queue of reports there when its telemetry is on."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    subprocess.run([sys.executable, "-c", COMPUTE], env=environment | {"HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.rglob("*")) == []
