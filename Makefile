# Everything a person or a build machine asks of this checkout. Needs python3 >= 3.11 with venv, and a package index.
# `make demo` shows Serment; `make check test` is what must pass before a change lands.

PYTHON ?= python3
PORT ?= 8080
WORKERS ?= 2
UV ?= uv

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
SERMENT := .venv/.serment
TOOLS := .venv/.tools
COMPILE := $(UV) pip compile pyproject.toml --extra build --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --universal --python-version 3.11 --quiet

.DEFAULT_GOAL := demo
.PHONY: setup demo test check format bench bench-long flames campaign pictures capabilities docs lock

setup: $(TOOLS)

# The demo population behind one link for each of its people, until Ctrl-C.
demo: $(SERMENT)
	@SERMENT_PORT=$(PORT) $(BIN)/serment demo

# The short set: at most ten minutes on two cores. One file stays on one worker.
test: $(TOOLS)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

# The long set: the short one, the tests marked `campaign`, and fresh random examples.
campaign: $(TOOLS)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "campaign or not campaign" --hypothesis-profile=campaign

check: $(TOOLS)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(TOOLS)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# At most twelve minutes on a quiet machine with two cores. ONLY=word runs the files whose name holds the word.
bench: $(TOOLS)
	$(BIN)/python -m benchmarks.run $(ONLY)
	$(BIN)/python -m tools.render_figures

# Memory with 10 000 patients, reads among a million: some ten minutes, 12 GB of disk.
bench-long: $(TOOLS)
	$(BIN)/python -m benchmarks.run --long
	$(BIN)/python -m tools.render_figures

# Where the time of the three hottest paths goes: samples in bench/flames, pictures in docs/images.
flames: $(TOOLS)
	$(BIN)/python -m benchmarks.flames
	$(BIN)/python -m tools.render_flames

# The pictures of the documentation, taken by the journeys themselves.
pictures: $(TOOLS)
	SERMENT_PICTURES=$(CURDIR)/docs/images $(BIN)/python -m pytest -q tests/pages -k "not tour"

capabilities: $(TOOLS)
	$(BIN)/python -m tools.capabilities

# Pages made from the code: one tool for each, named tools/render_<page>.py.
docs: $(TOOLS)
	@set -e; for tool in $(basename $(notdir $(wildcard tools/render_*.py))); do \
		echo "tools/$$tool.py"; $(BIN)/python -m tools.$$tool; done

# For developers who change a pin in pyproject.toml: needs uv, which nothing else here does.
lock:
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra postgres --constraint requirements.lock --output-file requirements-postgres.lock
	$(COMPILE) --extra dev --constraint requirements-postgres.lock --output-file requirements-dev.lock

# Set-up runs once, and again when a lock or pyproject.toml changes. Serment itself is built with the setuptools of the
# lock: nothing is fetched that the lock does not name.
$(SERMENT): requirements.lock pyproject.toml | .venv/.made
	@echo "Installing Serment into .venv (once)"
	@$(PIP) --require-hashes --only-binary :all: --requirement requirements.lock
	@$(PIP) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS): requirements-dev.lock $(SERMENT)
	@echo "Installing the developers' tools into .venv (once)"
	@$(PIP) --require-hashes --only-binary :all: --requirement requirements-dev.lock
	@touch $@

.venv/.made:
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "Serment needs Python 3.11 or later, and there is no $(PYTHON) here. Install it, then run make again."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Serment needs Python 3.11 or later; $(PYTHON) is $$("$(PYTHON)" -V 2>&1)." \
			"Install a later one, then: make PYTHON=python3.12 $(or $(MAKECMDGOALS),demo)"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Serment needs Python's venv, which this machine left out. On Debian: apt install python3-venv"; exit 1; }
	@"$(PYTHON)" -m venv .venv
	@touch $@
