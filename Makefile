.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := $(CURDIR):$(CURDIR)/config

help:  ## what there is
	@grep -hE '^[a-z.-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.venv: requirements.lock  ## (the virtual environment)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirements requirements.lock
	@touch .venv

.env:  ## settings for docker compose, with made-up secrets; an existing file stays
	@umask 077; $(PYTHON) -c "import re, secrets, sys; print(end=re.sub(r'(?m)^(\w+)=\$$', lambda m: m[0] + secrets.token_urlsafe(32) + '=' * (m[1] == 'FERNET_KEY'), open('.env.example').read()))" > $@

demo: .venv  ## start everything on this machine and import the sample files
	$(BIN)/python -m demo start

stop: .venv  ## stop the demo; `make demo` continues it
	$(BIN)/python -m demo stop

clean: .venv  ## stop the demo and forget it
	$(BIN)/python -m demo clean

chromium:  ## the browser that the tests of the page need; installed where it is missing, apt-get is there and root asks
	@command -v chromium chromium-browser google-chrome >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null

test: .venv lint chromium  ## everything that CI checks; needs no service
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

bench-pages: .venv  ## how long the page's screens take with 1,000 imports and 1,000,000 rows
	$(BIN)/python -m benchmarks.pages

bench-refusals: .venv  ## how long it takes to refuse 20 MiB of each kind of content
	$(BIN)/python -m benchmarks.refusals

bench-airflow: .venv  ## what Airflow costs beside our own work: latency, parse, idle, backlog (about 20 minutes)
	for each in latency parse idle backlog; do $(BIN)/python -m benchmarks.airflow_cost $$each || exit 1; done

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

.PHONY: help demo stop clean test chromium properties fuzz faults bench bench-phases bench-growth bench-pages bench-refusals bench-airflow codes lint format lock
