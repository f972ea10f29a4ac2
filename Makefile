# Every target sets up what it needs; nothing is installed outside .venv.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check run bench format clean
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wirebrief needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

demo: $(READY) ## Everything on this machine, without a network
	$(BIN)/wirebrief demo

run: $(READY) ## The real thing, on config.toml
	$(BIN)/wirebrief init
	$(BIN)/wirebrief run

# In the order of their folders: the acceptance tests take longest and go first, so that none waits alone at the end.
test: $(READY) ## All tests, on SQLite and on a real PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(READY) ## Style, types and the one-way imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(READY) ## Speed against the peers, with plots in docs/plots; half an hour
	$(BIN)/python benchmarks/every.py

format: $(READY) ## Put the code into its one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Forget everything that was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
