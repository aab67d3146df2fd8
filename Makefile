# Two commands for a new user: `make demo` and `make test`. Everything else is for developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test quick lint bench clean

demo: $(VENV)/installed  ## install, start everything with simulated traffic; Ctrl-C stops
	@$(BIN)/penstock demo

test: $(VENV)/installed-test lint  ## install the test tools, check style and types, run all tests
	$(BIN)/pytest

quick: $(VENV)/installed-test  ## the fast tests
	$(BIN)/pytest -m "not heavy"

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed-test  ## the benchmarks, each beside its reference
	$(BIN)/python benchmarks/collect.py
	$(BIN)/python benchmarks/refine.py

clean:
	rm -rf $(VENV) demo-data

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Penstock needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/installed: $(VENV)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@
