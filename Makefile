# Every command of this project. Bare `make` prints them; CI and hooks call them too.

# The first Python that is new enough; `make PYTHON=python3.12 ...` chooses another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
PY := $(BIN)/python.exe
else
BIN := .venv/bin
PY := $(BIN)/python
endif
OLDEST := $(patsubst .venv/%,build/oldest/%,$(PY))
PIP := $(PY) -m pip --disable-pip-version-check -qq
SIDECAR := $(PY) -m sidecar
READY := .venv/ready
NODE_READY := .venv/node-ready
TEST_NODE_READY := .venv/test-node-ready
TEST_NODE := tests/clients tests/interop/apps

TESTS := tests --ignore=tests/tauri
# Some tests wait for other processes, with deadlines that the program promises; the others calculate.
WAITING := tests/process tests/fault tests/clients tests/interop/test_live.py
CALCULATING := $(TESTS) $(WAITING:%=--ignore=%)
WORKERS ?= auto
WAITERS ?= 4
IN_MEMORY := export TMPDIR="$$($(PY) -m scripts.temporary)"; # for the files of tests, where it has room
NOTHING := 5# pytest: no test was chosen in this half, by ARGS="-k name"
ARGS ?=

# Compiled tests and scripts are kept: each test worker would compile them again, in 8 s.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo run sync status verify format lint types imports test test-fast test-slow \
	test-interop test-fault test-tauri test-oldest fuzz soak cover bench bench-growth bench-check check build bundle release bundle-release lock clean

help:  ## print this list
	@echo "make TARGET [ROOT=folder] [ARGS='more arguments'] [PYTHON=python3.12]"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------ set-up

setup: $(READY) $(NODE_READY)  ## make .venv with everything from the lock files (other targets call it)

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Setting up .venv (once)"
	@$(PYTHON) -m venv --clear .venv

$(READY): $(PY) requirements/dev.txt pyproject.toml
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@$(PY) -m compileall -q sidecar # where PYTHONDONTWRITEBYTECODE is set, each start would
	@touch $@

# Node is a help and no condition: without it the committed documents are used.
$(NODE_READY): $(READY) requirements/node.txt scripts/js/package-lock.json scripts/nodejs.py
	@$(PY) -m scripts.nodejs && touch $@ || true

# What tests alone need, installed before them: two test workers must not do it at once.
$(TEST_NODE_READY): $(NODE_READY) $(TEST_NODE:%=%/package-lock.json)
	@test -f $(NODE_READY) && $(PY) -m scripts.nodejs $(TEST_NODE) && touch $@ || true

# ------------------------------------------------------------------------------ use it

demo: setup  ## watch a sample app folder while another process edits it
	@$(PY) -m scripts.demo $(ARGS)

run: $(READY) root  ## watch a real folder: make run ROOT=...
	@$(SIDECAR) watch $(ARGS) "$(ROOT)"

sync: $(READY) root  ## bring every mirror under ROOT up to date, once
	@$(SIDECAR) sync $(ARGS) "$(ROOT)"

status: $(READY) root  ## say which mirrors under ROOT are in step
	@$(SIDECAR) status $(ARGS) "$(ROOT)"

verify: $(READY) root  ## compare the mirrors under ROOT with their documents, cell by cell
	@$(SIDECAR) verify $(ARGS) "$(ROOT)"

.PHONY: root
root:
	@test -n "$(ROOT)" || { echo "Which folder? For example: make run ROOT=\$$HOME/.local/share/com.example.app" >&2; exit 2; }

# ------------------------------------------------------------------------------ the gate

check: lint types imports  ## lint, types and import contracts (the tests are make test)

format: $(READY)  ## format the code and mend what the linter can
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

lint: $(READY)  ## ruff, with every rule on
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: setup  ## mypy over all of it, pyright over the package, both strict
	@$(PY) -m mypy
	@$(PY) -m pyright

imports: $(READY)  ## the architecture's import contracts
	@$(BIN)/lint-imports

# ------------------------------------------------------------------------------ tests

test: setup $(TEST_NODE_READY)  ## what proves a change: every fact has a test in it, but the Tauri host's
	@$(IN_MEMORY) $(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not slow" $(CALCULATING) $(ARGS) || test $$? = $(NOTHING)
	@$(IN_MEMORY) $(PY) -m pytest -n $(WAITERS) --dist worksteal -m "not slow" $(WAITING) $(ARGS) || test $$? = $(NOTHING)

test-fast: setup  ## the loop while working: units and properties that take less than a second
	@$(IN_MEMORY) $(PY) -m pytest -q -n $(WORKERS) --dist worksteal -m "not slow and not medium" \
		--hypothesis-profile fast tests/unit tests/property $(ARGS)

test-slow: setup $(TEST_NODE_READY)  ## the same facts with many more examples and larger sizes
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "slow or random or hypothesis" \
		--hypothesis-profile many $(TESTS) $(ARGS)

test-interop: setup $(TEST_NODE_READY)  ## documents by real Yjs against what JavaScript says they hold
	@$(PY) -m pytest tests/interop $(ARGS)

test-fault: setup  ## SIGKILL at every step, full disks, refused files; then the whole kill matrix
	@$(PY) -m pytest tests/fault $(ARGS)
	@$(PY) -m scripts.fault.kill_matrix

test-tauri: setup  ## a real Tauri app under Xvfb starts, uses and stops the program
	@$(PY) -m tests.tauri.run $(ARGS)

test-oldest: setup $(TEST_NODE_READY)  ## the tests with the oldest admitted versions of every dependency
	@$(PYTHON) -m venv --clear build/oldest
	@$(OLDEST) -m pip --disable-pip-version-check -qq install --require-hashes -r requirements/dev.txt
	@$(OLDEST) -m pip --disable-pip-version-check -qq install --require-hashes -r requirements/oldest.txt
	@$(OLDEST) -m pip --disable-pip-version-check -qq install --no-build-isolation --no-deps --editable .
	@$(OLDEST) -m pytest -m "not slow" $(TESTS) $(ARGS)

fuzz: setup  ## mutated documents against the one written invariant
	@$(PY) -m scripts.fault.fuzz $(ARGS)

soak: setup  ## ten minutes of edits, kills and full disks, then verify
	@$(PY) -m scripts.fault.soak $(ARGS)

cover: setup $(TEST_NODE_READY)  ## the tests with branch coverage, child processes too
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest $(TESTS) $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report

# ------------------------------------------------------------------------------ figures and releases

bench: setup  ## measure beside the Node peer and the bare decoder; writes docs/performance.md
	@$(PY) -m scripts.bench $(ARGS)

bench-growth: setup  ## cost over N and 2N for shapes that once cost the square
	@$(PY) -m scripts.bench.growth $(ARGS)

bench-check: setup  ## compare the ratios with the committed ones
	@$(PY) -m scripts.bench --check $(ARGS)

build: $(READY)  ## wheel and source archive in dist/, each tried in an empty environment
	@rm -f dist/epicenter_sidecar-*
	@$(PY) -m build --no-isolation --outdir dist .
	@$(PY) -m scripts.release.try_package dist

bundle: setup  ## a folder to ship inside a Tauri app, in dist/
	@$(PY) -m scripts.release.bundle $(ARGS)

release: build setup  ## all packages of a release in dist/: Python, the bundle of this system, npm
	@$(PY) -m scripts.release $(ARGS)

bundle-release: $(READY)  ## of a release only the bundle of this system, with its list of parts
	@$(PY) -m scripts.release --only bundle $(ARGS)

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" $(ARGS)

lock: $(READY)  ## write the lock files anew (ARGS=--upgrade for the newest versions)
	@$(PIP) install uv
	@$(LOCK) --group dev --output-file requirements/dev.txt pyproject.toml
	@$(LOCK) --resolution lowest-direct --output-file requirements/oldest.txt pyproject.toml
	@$(LOCK) --group node --output-file requirements/node.txt
	@for folder in scripts/js scripts/release/npm $(TEST_NODE); do \
		(cd $$folder && npm install --package-lock-only --omit-lockfile-registry-resolved) || exit 1; done

clean:  ## remove everything that make made
	rm -rf .venv build dist htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find sidecar scripts tests \( -name __pycache__ -o -name node_modules \) -type d -prune -exec rm -rf {} +
