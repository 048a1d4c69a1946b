# mall-edge. `make` lists the targets. Everything that is installed beyond Debian's packages is in .venv.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
DEMO_DIR ?= demo-data

.DEFAULT_GOAL := help
.PHONY: help demo test proof lint bench format clean

help: ## list the targets
	@echo "mall-edge: in-mall smart checkout and parking edge service"
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1	/'

demo: $(VENV)/runtime ## open a mall on this machine, with a shopper who buys by himself (ARGS='--port 9080')
	@$(PY) -m sim mall --dir $(DEMO_DIR) $(ARGS)

test: $(VENV)/tests ## lint, type-check and run all tests
	@systemd/check lint
	@systemd/check tests

proof: $(VENV)/tests ## crash, cut, kill and fail everywhere, and print what came of it (about an hour on 2 cores)
	@systemd/check proof

lint: $(VENV)/tests ## the static checks alone
	@systemd/check lint

bench: $(VENV)/tests ## run the benchmarks and print their tables
	@$(PY) -m tests.bench

format: $(VENV)/tests ## format the code
	@$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

clean: ## remove what was built, the environment and the demonstration's state
	rm -rf $(VENV) build $(DEMO_DIR) miniprogram/node_modules

$(VENV)/runtime: requirements.txt sim/requirements.txt systemd/prepare
	@PYTHON=$(PYTHON) systemd/prepare runtime

$(VENV)/tests: requirements.txt sim/requirements.txt tests/requirements.txt miniprogram/package-lock.json systemd/prepare
	@PYTHON=$(PYTHON) systemd/prepare tests
