# Hardening Playbook. `make drill` runs the whole playbook, `make test` proves it; both set up first.
# Prerequisites are relative on purpose: paths with spaces would rerun the set-up every time.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

STACK ?= local
SCENARIO ?= reference
ARGS ?=
READY := .venv/.ready
RUN := .venv/bin/python -m playbook

# Bytecode that is not kept costs every kernel several seconds of imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup drill test soak lint lab lock bench picture clean

help:  ## Say what there is (the default)
	@echo "Hardening Playbook"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make drill STACK=local SCENARIO=reference ARGS='--keep'"

$(READY): env/requirements.lock env/setup pyproject.toml
	@sh env/setup

setup: $(READY)  ## Make .venv from the lock

drill: $(READY)  ## Run the whole playbook on a disposable stack
	@$(RUN) keys new --if-missing >&2
	@$(RUN) run $(SCENARIO) --profile quick --stack $(STACK) $(ARGS)

test: $(READY)  ## Run all tests
	@.venv/bin/python -m pytest $(ARGS)

soak: $(READY)  ## Run what is long by nature: whole trials in profile standard
	@.venv/bin/python -m pytest -m soak $(ARGS)

lint: $(READY)  ## Style, types, import rules
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

lab: $(READY)  ## Open the notebooks in JupyterLab
	@JUPYTER_CONFIG_PATH="$$PWD/env/jupyter" .venv/bin/python -m jupyterlab notebooks $(ARGS)

lock: $(READY)  ## Renew env/requirements.lock from pyproject.toml
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --all-extras pyproject.toml -o env/requirements.lock
	@for part in app load store; do \
		.venv/bin/uv pip compile --quiet --python-version 3.13 --generate-hashes --no-header --no-annotate \
			--no-emit-index-url --no-emit-find-links -c env/requirements.lock "env/$$part/requirements.in" \
			-o "env/$$part/requirements.lock" || exit 1; \
	done

bench: $(READY)  ## Measure side by side (by hand, on a quiet machine)
	@for file in benchmarks/*.py; do .venv/bin/python "$$file" || exit 1; done

picture: $(READY)  ## Take the README's picture of the last run's report (needs Chromium)
	@.venv/bin/python docs/take_picture.py $(or $(ARGS),latest)

clean:  ## Remove .venv and caches, never evidence
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov
	@find playbook env tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
