# Every target sets up what it needs; nothing is installed outside .venv.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check audit run bench sbom dist format clean
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

check: $(READY) ## Style, types, the one-way imports, and no version that is known to be vulnerable
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python .ci/audit.py

audit: $(READY) ## For a release: as in check, but it fails where nobody can be asked
	$(BIN)/python .ci/audit.py --strict

bench: $(READY) ## Speed against the peers, with plots in docs/plots; half an hour
	$(BIN)/python benchmarks/every.py

sbom: $(READY) ## What the product is made of: dist/wirebrief.cdx.json (CycloneDX)
	$(BIN)/python .ci/sbom.py dist/wirebrief.cdx.json

dist: sbom ## The wheel of a release, with its bill of materials in it, and its sources
	WIREBRIEF_SBOM=dist/wirebrief.cdx.json $(BIN)/python -m hatchling build --directory dist

format: $(READY) ## Put the code into its one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Forget everything that was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
