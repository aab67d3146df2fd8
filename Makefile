# Two commands for a new user: `make demo` and `make test`. Everything else is for developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests fsync a lot, and what they prove of that they prove elsewhere; in memory the whole is twice as fast.
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 { print "/dev/shm" }')
PYTEST := $(if $(MEMORY),PYTEST_DEBUG_TEMPROOT=$(MEMORY)) $(BIN)/pytest
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test quick lint docs browser bench screenshots clean aws-deploy aws-smoke aws-destroy

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
	$(BIN)/python benchmarks/hour.py
	$(BIN)/python benchmarks/query.py
	$(BIN)/python benchmarks/dashboard.py
	$(BIN)/python benchmarks/kafka.py

screenshots: $(VENV)/installed-test  ## docs/images, from simulated traffic
	$(BIN)/python docs/screenshots.py

# In your own account, with the credentials and region of your environment: docs/aws.md.
NAME ?= penstock
PARAMETERS ?=

aws-deploy: $(VENV)/installed-aws  ## make or change the stack: make aws-deploy NAME=shop PARAMETERS="Stream=sqs PageViews=true"
	@$(BIN)/python deploy/aws/stack.py deploy $(NAME) $(PARAMETERS)

aws-smoke: $(VENV)/installed-aws  ## send ten events to it, and look whether they are counted
	@$(BIN)/python deploy/aws/stack.py smoke $(NAME) $(PARAMETERS)

aws-destroy: $(VENV)/installed-aws  ## delete it; the lake stays
	@$(BIN)/python deploy/aws/stack.py destroy $(NAME)

.venv-aws/installed: $(VENV)/installed-test  ## the emulator of AWS that the tests use; they make it themselves where they can
	@PYTHONPATH=tests $(BIN)/python -m deploy.ministack

clean:  ## remove what the commands above made
	rm -rf $(VENV) .venv-aws demo-data

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

$(VENV)/installed-aws: $(VENV)/installed
	@$(PIP) install --editable '.[aws]'
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@$(PIP) install --editable '.[test]'
	@touch $@
