# Two commands for a new user: `make demo` and `make test`. Everything else is for developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests fsync a lot, and what they prove of that they prove elsewhere; in memory the whole is twice as fast.
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 { print "/dev/shm" }')
PYTEST := $(if $(MEMORY),PYTEST_DEBUG_TEMPROOT=$(MEMORY)) $(BIN)/pytest
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test quick lint docs browser bench screenshots clean

demo: $(VENV)/installed  ## install, start everything with simulated traffic; Ctrl-C stops
	@$(BIN)/penstock demo

test: $(VENV)/installed-test lint browser  ## install the test tools, check style and types, run all tests
	$(PYTEST) -n auto --dist loadfile

quick: $(VENV)/installed-test  ## the fast tests
	$(PYTEST) -n auto --dist loadfile -m "not heavy"

lint: $(VENV)/installed-test  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed  ## bring the generated parts of docs/ up to date
	$(BIN)/python -m penstock.cli.docs

browser:  ## Chromium for the tests of tracker and dashboard, where we may install it; without it they are skipped
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null \
		|| { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium >/dev/null; } \
		|| echo "Chromium could not be installed; the browser tests are skipped."

bench: $(VENV)/installed-test  ## the benchmarks, each beside its reference
	$(BIN)/python benchmarks/collect.py
	$(BIN)/python benchmarks/refine.py
	$(BIN)/python benchmarks/query.py
	$(BIN)/python benchmarks/dashboard.py

screenshots: $(VENV)/installed-test  ## docs/images, from simulated traffic
	$(BIN)/python docs/screenshots.py

clean:  ## remove what the commands above made
	rm -rf $(VENV) demo-data

$(VENV)/made:
	@command -v $(PYTHON) >/dev/null || { echo "Penstock needs Python 3.11 or newer, and there is no '$(PYTHON)'. If it has another name: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Penstock needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". If a newer one has another name: make PYTHON=python3.12 ...")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV): about a minute, only this first time."
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml
	@$(PIP) install --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@$(PIP) install --editable '.[test]'
	@touch $@
