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

# Ansible, which plays the roles of the machine image, and its linter: programs, no libraries of corral.
.venv-images/.ready: requirements-images.lock
	@echo "installing Ansible into .venv-images (half a minute, once)"
	@$(PYTHON) -m venv .venv-images
	@.venv-images/bin/python $(PIP_INSTALL) requirements-images.lock
	@touch $@

# Build a whole cluster in the lab, show it, and end.
demo: setup
	@$(BIN)/python -m lab demo

# The same, and stay until Ctrl-C.
lab: setup
	@$(BIN)/python -m lab demo --stay

# Four at a time, on two cores: those that need a whole cluster wait most of the time.
test: setup .venv-images/.ready
	$(BIN)/python -m pytest --numprocesses 4 --dist loadgroup --no-loadscope-reorder

# Twenty times as many random histories of a herd as `make test` plays, and a build that dies at
# each of its stages.
nightly: setup
	$(BIN)/python -m pytest --nightly tests/histories tests/lab/test_build.py

check: setup .venv-checkov/.ready .venv-images/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=node $(BIN)/lint-imports
	$(BIN)/python -m scripts.terraform_docs --check
	$(BIN)/python -m scripts.settings_docs --check
	$(BIN)/python -m scripts.check_terraform check
	$(BIN)/python -m scripts.check_images
	.venv-checkov/bin/checkov --directory terraform --framework terraform --quiet --compact --skip-download

bench: setup
	$(BIN)/python -m benchmarks

# Write the lock files anew from the .in files.
lock: setup
	$(COMPILE) -o requirements.lock requirements.in
	$(COMPILE) -o requirements-dev.lock requirements-dev.in
	$(COMPILE) -o requirements-checkov.lock requirements-checkov.in
	$(COMPILE) -o requirements-images.lock requirements-images.in
	$(COMPILE) -o node/requirements.lock -c requirements-dev.lock node/pyproject.toml node/requirements-build.in

clean:
	rm -rf .venv .venv-checkov .venv-images .corral
