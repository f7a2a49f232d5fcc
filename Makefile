# Every target does its own set-up; `make` alone shows what there is.
# A stamp lies in what it describes and is written last: what was interrupted is made again.

PY := .venv/bin/python
INSTALL := sh scripts/setup/install.sh
COMPILE := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
NODE := sh scripts/setup/node.sh
SOURCES := main.py core app scripts tests examples
PAGE := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print)

.DEFAULT_GOAL := help
# Two installers at work in one environment would trip over each other.
.NOTPARALLEL:

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# --- Set-up -------------------------------------------------------------------------------------

.venv/.made: requirements-setup.lock
	@sh scripts/setup/venv.sh
	@touch $@

.venv/.runtime: .venv/.made requirements.lock
	@echo "Installing what the server needs"
	@$(INSTALL) requirements.lock
	@touch $@

.venv/.cluster: .venv/.made requirements-cluster.lock
	@echo "Installing what a cluster needs"
	@$(INSTALL) requirements-cluster.lock
	@touch $@

.venv/.tools: .venv/.made requirements-dev.lock
	@echo "Installing what the checks need"
	@$(INSTALL) requirements-dev.lock
	@touch $@

web/node_modules/.made: web/package-lock.json web/package.json | .venv/.made
	@echo "Installing what the page is built with"
	@$(NODE) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/.made: web/node_modules/.made $(PAGE)
	@echo "Building the page"
	@$(NODE) npm run --silent build -- --logLevel warn
	@touch $@

.PHONY: weights
weights:
	@sh scripts/setup/weights.sh

# --- Use ----------------------------------------------------------------------------------------

.PHONY: run
run: .venv/.runtime web/dist/.made weights ## Start the server, and set up first what is missing
	@$(PY) main.py

.PHONY: cluster
cluster: .venv/.cluster web/dist/.made weights ## Start NODES=3 nodes, a balancer, Redis and Postgres here
	@$(PY) -m scripts.cluster

.PHONY: bench
bench: .venv/.tools web/dist/.made weights ## Measure the hot path beside two bare relays
	@$(PY) -m scripts.bench

.PHONY: simulate
simulate: .venv/.made ## Simulate many nodes; with PEOPLE=100000 say what so many need
	@$(PY) -m scripts.simulate $(if $(PEOPLE),--people $(PEOPLE))

.PHONY: chaos
chaos: .venv/.tools weights ## Break a cluster on purpose; SUBSET=1 for 8 minutes, ONLY=F1,F3
	@$(PY) -m scripts.chaos $(if $(SUBSET),--subset) $(if $(ONLY),--only $(ONLY)) \
		$(if $(TIMES),--times $(TIMES)) $(if $(STRICT),--strict)

# --- Work ---------------------------------------------------------------------------------------

.PHONY: test
test: .venv/.tools web/dist/.made weights ## Run every test of the server and of the page in a browser
	@browser="$$(sh scripts/setup/chromium.sh)" && \
		CHROMIUM="$$browser" $(PY) -m pytest -n 2 --dist loadfile

.PHONY: check
check: formatted lint types floors page test ## Run every check that CI runs

.PHONY: format
format: .venv/.tools ## Lay the code out
	$(PY) -m ruff check --fix-only --quiet $(SOURCES)
	$(PY) -m ruff format $(SOURCES)

.PHONY: formatted
formatted: .venv/.tools
	$(PY) -m ruff format --check $(SOURCES)

.PHONY: lint
lint: .venv/.tools ## Find likely mistakes
	$(PY) -m ruff check $(SOURCES)

.PHONY: types
types: .venv/.tools ## Check the types
	$(PY) -m mypy

.PHONY: floors
floors: .venv/.tools ## Check that imports only go down
	.venv/bin/lint-imports --no-logo

.PHONY: page
page: web/node_modules/.made ## Check and test the page's own code
	$(NODE) npm run --silent check
	$(NODE) npm test --silent

.PHONY: docs
docs: .venv/.tools ## Write docs/openapi.json and docs/asyncapi.json anew
	$(PY) -m scripts.write_asyncapi
	$(PY) -m scripts.write_openapi

.PHONY: lock
lock: .venv/.made ## Pin what pyproject.toml asks for; with UPGRADE=1 the newest of it
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) pyproject.toml --group cluster -c requirements.lock -o requirements-cluster.lock
	$(COMPILE) --group setup -o requirements-setup.lock
	$(COMPILE) --group node -o requirements-node.lock

.PHONY: clean
clean: ## Remove everything that was made here, but not the data
	rm -rf .venv web/node_modules web/dist artifacts .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
