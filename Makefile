# `make` lists the targets. Works with GNU make 3.81, which macOS brings.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

# Programs start three times slower without compiled modules; other Pythons' paths have no business in our environment.
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV

# From the command line only: some shells set HOST to the machine's name. Values reach the shell by the environment, where
# neither make nor the shell reads anything into a file's name.
ifeq ($(origin HOST),command line)
export RELEARN_HOST = $(value HOST)
HOST_OPTION := --host "$$RELEARN_HOST"
endif
ifeq ($(origin DATA),command line)
export RELEARN_DATA = $(value DATA)
DATA_OPTION := --data "$$RELEARN_DATA"
endif
ifeq ($(origin PORT),command line)
export RELEARN_PORT = $(value PORT)
PORT_OPTION := --port "$$RELEARN_PORT"
endif
ifeq ($(origin FILE),command line)
export RELEARN_FILE = $(value FILE)
FILE_OPTION := "$$RELEARN_FILE"
else
FILE_OPTION = $(error name the file: make drop FILE=new.csv)
endif

ifeq ($(origin MODEL),command line)
export RELEARN_MODEL = $(value MODEL)
MODEL_OPTION := --model "$$RELEARN_MODEL"
endif
ifeq ($(origin NAME),command line)
export RELEARN_NAME = $(value NAME)
NAME_OPTION := --name "$$RELEARN_NAME"
endif
ifeq ($(origin WITH),command line)
export RELEARN_WITH = $(value WITH)
WITH_OPTION := --with "$$RELEARN_WITH"
endif

.DEFAULT_GOAL := help
.PHONY: help demo up drop bench load screenshots soak test lint format infra-check package clean local-packages test-packages

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z-]+: .*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

demo: local-packages ## drop files and watch a model being promoted, rejected, … (DATA=adult.csv for the real file)
	@$(PY) -m local demo $(HOST_OPTION) $(DATA_OPTION)

up: local-packages ## start everything and keep it running (WITH=rentals: two more models; PORT=7071; HOST=func for Core Tools)
	@$(PY) -m local up $(HOST_OPTION) $(PORT_OPTION) $(WITH_OPTION)

drop: local-packages ## drop a training file into what `make up` runs (FILE=new.csv MODEL=census NAME=as-it-is-called.csv)
	@$(PY) -m local drop $(FILE_OPTION) $(MODEL_OPTION) $(NAME_OPTION)

bench: local-packages ## measure beside other programs; needs wrk (ONLY=scoring, ROUNDS=5, QUICK=1, DATA=adult.csv)
	@$(PY) -m benchmarks $(ONLY) $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(QUICK),--quick) $(DATA_OPTION)

load: test-packages ## one tick over 100, 1,000 and 10,000 open runs
	@$(PY) -m benchmarks.open_runs

soak: test-packages ## the loop under random faults, 20 minutes at most (FILES=1000, MODELS=20)
	@$(PY) -m tests.soak $(if $(FILES),--files "$(FILES)") $(if $(MODELS),--models "$(MODELS)")

screenshots: test-packages ## make the pictures of docs/screenshots again; needs Chromium (DATA=adult.csv for the real file)
	@$(PY) docs/screenshots/make.py $(DATA_OPTION)

test: test-packages check pytest ## lint, strict types and all tests

lint: test-packages check ## lint and strict types

format: test-packages ## put every file into the project's format
	@$(PY) -m ruff format .

infra-check: test-packages ## check infra/: Bicep types (TYPES=folder of descriptions) and checkov's policies
	@$(PY) -m infra.checks "$(or $(TYPES),../shared/data/bicep-types)"
	@sh infra/checks/checkov.sh "$(PYTHON)" .local/checkov
	@$(PY) -m infra.checks.security .local/checkov/bin/checkov

package: test-packages ## build what is deployed into .local/package; print its size and cold import
	@$(PY) -m infra.packaging .local/package

clean: ## remove what the other targets made, the data of `make up` included
	rm -rf $(VENV) .local .mypy_cache .ruff_cache .hypothesis .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: check pytest
check: test-packages
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy

pytest: check
	@$(PY) -m pytest -n 2 --dist loadfile

local-packages:
	@sh local/setup.sh "$(PYTHON)" $(VENV) local

test-packages:
	@sh local/setup.sh "$(PYTHON)" $(VENV) tests
