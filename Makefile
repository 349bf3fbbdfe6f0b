# Every target does its own set-up, inside .venv and nowhere else: Python 3.11 or newer is all it needs.
# Locks: requirements/runtime.lock runs a node, build.lock installs it, development.lock tests it.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint type arch unit simulate e2e coverage bench bench-quick \
        bench-check bench-record bench-more lock clean

PYTHON ?= python3
VENV := .venv/bin
PIP := $(VENV)/python -m pip -qq --disable-pip-version-check
PYTEST := $(VENV)/python -m pytest --no-header
# The locks are complete; --no-deps, or pip looks at newer releases than the locked ones and refuses them.
INSTALL := $(PIP) install --require-hashes --no-deps
LINK := $(PIP) install --no-deps --no-build-isolation --editable .
LOCK := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
        --no-annotate --python-version 3.11
# What `make bench` writes; PLOT=docs/saturation.png publishes the curve.
PLOT ?= build/saturation.png
DETAILS ?= build/benchmark.json
SEEDS ?= 200
WORKERS ?= 2

help: ## say what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' Makefile | expand -t 21

setup: .venv/.development ## install everything that the tests need into .venv
	@:

demo: .venv/.runtime ## a network of five nodes on real meter data; ONCE=1 ends by itself
	@$(VENV)/tanlian demo $(if $(filter 1,$(ONCE)),--once)

test: lint type arch unit simulate e2e ## all checks and tests, in this order

lint: .venv/.development ## format and lint rules (ruff)
	@echo '== lint'
	@$(VENV)/ruff format --check --quiet --diff .
	@$(VENV)/ruff check --quiet .

type: .venv/.development ## static types (mypy --strict)
	@echo '== type'
	@$(VENV)/mypy

arch: .venv/.development ## who may import whom (import-linter)
	@echo '== arch'
	@$(VENV)/lint-imports --no-logo

unit: .venv/.development ## every test without processes or seeds
	@echo '== unit'
	@$(PYTEST) -n $(WORKERS) --ignore=tests/simulation --ignore=tests/e2e tests

simulate: .venv/.development ## seeded networks on virtual time; SEEDS=200
	@echo '== simulate ($(SEEDS) seeds)'
	@$(PYTEST) -n $(WORKERS) --seeds=$(SEEDS) tests/simulation

e2e: .venv/.development ## real processes on loopback
	@echo '== e2e'
	@$(PYTEST) tests/e2e

coverage: .venv/.development ## branch coverage of the unit stage, 95 % or more
	@$(PYTEST) -n $(WORKERS) --cov --ignore=tests/simulation --ignore=tests/e2e tests

bench: .venv/.development ## measure a network of four: table, JSON, curve (docs/performance.md)
	@mkdir -p $(dir $(PLOT)) $(dir $(DETAILS))
	@$(VENV)/tanlian bench --json --plot $(PLOT) --details $(DETAILS)

bench-quick: .venv/.development ## the same in about a minute
	@$(VENV)/tanlian bench --quick --json

bench-check: .venv/.development ## fail where a ratio is 15 % below the last five of the history
	@$(VENV)/python -m benchmarks.gate

bench-record: .venv/.development ## add this commit's ratios to benchmarks/history.jsonl
	@$(VENV)/python -m benchmarks.gate --record

bench-more: .venv/.development ## each layer; opening, syncing, 4 to 16 validators, wide area
	@$(VENV)/python -m benchmarks.layers
	@$(VENV)/python -m benchmarks.opening
	@$(VENV)/python -m benchmarks.syncing
	@$(VENV)/python -m benchmarks.sizes
	@$(VENV)/python -m benchmarks.wide_area

lock: ## resolve the locks again (needs uv); UPGRADE=1 takes the newest releases
	@$(LOCK) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements/runtime.lock
	@$(LOCK) $(if $(UPGRADE),--upgrade) --group build -o requirements/build.lock
	@$(LOCK) $(if $(UPGRADE),--upgrade) pyproject.toml --group build --group development \
	  -c requirements/runtime.lock -o requirements/development.lock

clean: ## remove .venv and all that was built
	@rm -rf .venv build dist tanlian.egg-info .coverage .hypothesis .mypy_cache .pytest_cache \
	  .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Tanlian needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Install one, then name it: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; \
	  exit 1; }

.venv/.runtime: .venv/bin/python requirements/runtime.lock requirements/build.lock pyproject.toml
	@echo '== set-up: .venv, to run a node'
	@$(INSTALL) -r requirements/runtime.lock -r requirements/build.lock
	@$(LINK)
	@touch $@

.venv/.development: .venv/bin/python requirements/development.lock pyproject.toml
	@echo '== set-up: .venv, to develop'
	@$(INSTALL) -r requirements/development.lock
	@$(LINK)
	@touch $@
