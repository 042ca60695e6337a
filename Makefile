.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
export PYTHONPATH := $(CURDIR):$(CURDIR)/config

help:  ## list the commands
	@grep -hE '^[a-z.-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.venv: requirements-dev.lock  ## the virtual environment; every command makes it when it is missing
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirements requirements-dev.lock
	@touch .venv

.env:  ## settings for docker compose, with generated secrets; an existing file stays
	@umask 077; $(PYTHON) -c "import re, secrets, sys; print(end=re.sub(r'(?m)^(\w+)=\$$', lambda m: m[0] + secrets.token_urlsafe(32) + '=' * (m[1] == 'FERNET_KEY'), open('.env.example').read()))" > $@

demo: .venv  ## start everything on this machine and import the sample files; again: continue
	$(BIN)/python -m demo start

stop: .venv  ## stop the demo; `make demo` continues it
	$(BIN)/python -m demo stop

clean: .venv  ## stop the demo and delete it, and `.storage/` of the command line
	$(BIN)/python -m demo clean

chromium:  ## the browser for the page's tests; installed with apt-get when it is missing and you are root
	@command -v chromium chromium-browser google-chrome >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null

test: .venv lint chromium  ## lint and run all tests, as continuous integration does; needs no service
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-whole: .venv  ## test the whole demo, and two Celery workers where Redis runs, with parts of them killed (ten minutes)
	TEST_WHOLE=1 $(BIN)/python -m pytest tests/demo tests/faults/test_workers.py

coverage: .venv chromium  ## run all tests and say which lines and branches none of them runs; TESTS=FOLDERS
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

properties: .venv  ## test the merge with 20,000 random files against its reference model, and each rule with 5,000
	MERGE_EXAMPLES=20000 $(BIN)/python -m pytest tests/steps/test_merge_rules.py --timeout 7200
	PROPERTY_EXAMPLES=5000 $(BIN)/python -m pytest tests/schemas tests/transforms --timeout 3600
	PROPERTY_EXAMPLES=1000 $(BIN)/python -m pytest tests/steps/test_pieces.py tests/steps/test_revert.py --timeout 3600

fuzz: .venv  ## test reading with bytes that no one would send, about five minutes; FUZZ_EXAMPLES=N
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-30000} $(BIN)/python -m pytest tests/steps/test_any_bytes.py --timeout 3600

faults: .venv  ## kill, stop and repeat tasks at every point, restart PostgreSQL; FAULTS_SECONDS=N, FAULTS_SEED=ROUND
	$(BIN)/python -m tests.faults

bench: .venv .bench  ## measure imports, beside a floor and other importers (half an hour)
	$(BIN)/python -W ignore -m benchmarks.speed $(BENCH)

bench-phases: .venv  ## measure where the time of one file goes, by step and statement
	$(BIN)/python -W ignore -m benchmarks.phases $(BENCH)

bench-growth: .venv  ## measure how time and memory grow with the file and the client table (half an hour)
	$(BIN)/python -W ignore -m benchmarks.growth $(BENCH)

bench-locks: .venv  ## measure how long a user of the CRM waits beside an import
	$(BIN)/python -W ignore -m benchmarks.locks $(BENCH)

.bench: benchmarks/requirements.txt  ## the environment of the other importers
	$(PYTHON) -m venv .bench
	$(BIN)/uv pip install --quiet --python .bench/bin/python --requirements benchmarks/requirements.txt
	@touch .bench

bench-workers: .venv  ## measure whether merges of two workers overlap where the database answers slowly
	$(BIN)/python -W ignore -m benchmarks.workers $(BENCH)

bench-pages: .venv  ## measure the page's screens with 1,000,000 clients, 1,000 imports and 1,000,000 rows
	$(BIN)/python -m benchmarks.pages

bench-history: .venv  ## measure what a year of history costs: retention, an import, one client's history
	$(BIN)/python -W ignore -m benchmarks.history

bench-refusals: .venv  ## measure how long it takes to refuse 20 MiB of each kind of content
	$(BIN)/python -m benchmarks.refusals

bench-airflow: .venv  ## measure what Airflow costs: latency, parse, idle, backlog (20 minutes)
	for each in latency parse idle backlog; do $(BIN)/python -m benchmarks.airflow_cost $$each || exit 1; done

docs: .venv  ## write what docs/ takes from the code: the codes, a feed's keys, their schema for editors, the API
	$(BIN)/python -m tests.generated_docs

lint: .venv  ## check style, layers and types, and look for dead code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/vulture
	$(BIN)/lint-imports
	$(BIN)/mypy

format: .venv  ## format the code
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

lock: .venv  ## write both locks after a change of requirements*.txt: for the image, and for development
	$(LOCK) requirements-dev.txt --output-file requirements-dev.lock
	$(LOCK) requirements.txt --constraint requirements-dev.lock --output-file requirements.lock

.PHONY: help demo stop clean test test-whole chromium coverage properties fuzz faults bench bench-phases bench-growth bench-locks bench-pages bench-history bench-refusals bench-airflow docs lint format lock
