# Everything a person does with this repository. `make setup` is part of every other target.

PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: setup demo lab test nightly check bench lock clean

# The virtual environment, made from the lock file of developers, and made anew when that changes.
# requirements.lock is what a worker needs, and a part of it.
setup: .venv/.ready

.venv/.ready: requirements-dev.lock
	@echo "installing what corral needs into .venv (two to three minutes, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "corral needs Python 3.11 or newer; this is " + sys.version.split()[0] + ": make setup PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP_INSTALL) requirements-dev.lock
	@touch $@

# checkov pins versions that corral cannot use, so it lives apart.
.venv-checkov/.ready: requirements-checkov.lock
	@echo "installing checkov into .venv-checkov (a minute, once)"
	@$(PYTHON) -m venv .venv-checkov
	@.venv-checkov/bin/python $(PIP_INSTALL) requirements-checkov.lock
	@touch $@

# Build a whole cluster in the lab, show it, and end.
demo: setup
	@$(BIN)/python -m lab demo

# The same, and stay until Ctrl-C.
lab: setup
	@$(BIN)/python -m lab demo --stay

# Two at a time: those that need a whole cluster wait most of the time, so the others run beside them.
test: setup
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

# Twenty times as many random histories of a herd as `make test` plays; about ten minutes.
nightly: setup
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest tests/histories

check: setup .venv-checkov/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=node $(BIN)/lint-imports
	$(BIN)/python -m scripts.terraform_docs --check
	$(BIN)/python -m scripts.settings_docs --check
	$(BIN)/python -m scripts.check_terraform check
	.venv-checkov/bin/checkov --directory terraform --framework terraform --quiet --compact --skip-download

bench: setup
	$(BIN)/python -m benchmarks

# Write the lock files anew from the .in files.
lock: setup
	$(COMPILE) -o requirements.lock requirements.in
	$(COMPILE) -o requirements-dev.lock requirements-dev.in
	$(COMPILE) -o requirements-checkov.lock requirements-checkov.in

clean:
	rm -rf .venv .venv-checkov .corral
