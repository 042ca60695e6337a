.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := $(CURDIR):$(CURDIR)/config

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.venv: requirements.lock  ## (the virtual environment)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirements requirements.lock
	@touch .venv

demo: .venv  ## start everything on this machine and import the sample files
	$(BIN)/python -m demo start

stop: .venv  ## stop the demo; `make demo` continues it
	$(BIN)/python -m demo stop

clean: .venv  ## stop the demo and forget it
	$(BIN)/python -m demo clean

test: .venv lint  ## everything that CI checks; needs no service
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

properties: .venv  ## the merge against its reference model, 20,000 random files
	MERGE_EXAMPLES=20000 $(BIN)/python -m pytest tests/steps/test_merge_rules.py

fuzz: .venv  ## five minutes of bytes that nobody would send; FUZZ_EXAMPLES=N for more or fewer
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-30000} $(BIN)/python -m pytest tests/steps/test_any_bytes.py --timeout 3600

faults: .venv  ## kill, stop and repeat tasks at every point, restart PostgreSQL; FAULTS_SECONDS=N, FAULTS_SEED=ROUND
	$(BIN)/python -m tests.faults

bench: .venv .bench  ## how fast a file is imported, beside a floor and other importers; about half an hour
	$(BIN)/python -W ignore -m benchmarks.speed $(BENCH)

bench-phases: .venv  ## where the time of one file goes, by step and statement
	$(BIN)/python -W ignore -m benchmarks.phases $(BENCH)

bench-growth: .venv  ## how time and memory grow with the file and with the client table; about half an hour
	$(BIN)/python -W ignore -m benchmarks.growth $(BENCH)

.bench: benchmarks/requirements.txt  ## (the other importers' environment)
	$(PYTHON) -m venv .bench
	$(BIN)/uv pip install --quiet --python .bench/bin/python --requirements benchmarks/requirements.txt
	@touch .bench

bench-refusals: .venv  ## how long it takes to refuse 20 MiB of each kind of content
	$(BIN)/python -m benchmarks.refusals

codes: .venv  ## write the table of codes into the README
	$(BIN)/python -m tests.test_readme

lint: .venv  ## layers, rules and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: .venv  ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv  ## pin again after a change of requirements*.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --custom-compile-command "make lock" requirements-dev.txt --output-file requirements.lock

.PHONY: help demo stop clean test properties fuzz faults bench bench-phases bench-growth bench-refusals codes lint format lock
