# Two commands do everything on a fresh Debian machine: `make demo`, `make test`.

PYTHON := $(shell test -x /usr/bin/python3 && echo /usr/bin/python3 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
FUZZ_SECONDS ?= 600
TESTS ?= tests
CURL := curl:curl
PHP := php:php-cli /usr/lib/php/*/pdo_sqlite.so:php-sqlite3
BROWSER := chromium:chromium prometheus:prometheus
DATABASES := /usr/sbin/mariadbd:mariadb-server /usr/lib/postgresql/*/bin/postgres:postgresql setpriv:util-linux
SERVERS := /usr/sbin/php-fpm*:php-fpm nginx:nginx-light systemd-analyze:systemd redis-server:redis-server
PEERS := nginx:nginx-light haproxy:haproxy wrk:wrk taskset:util-linux redis-server:redis-server

COMPILER := gcc:gcc /usr/include/python3.*/Python.h:python3-dev
COMPILED_TESTS := tests/comparators tests/http1 tests/worker tests/property tests/rules tests/telemetry tests/state

# What failed in a run that came to its end is asked once more, alone: see docs/decisions/0011-tests-of-real-processes.md.
ONCE_MORE := $(BIN)/pytest --last-failed --last-failed-no-failures none --maxfail 1

IMAGE := mmdebstrap:mmdebstrap chroot:coreutils

.PHONY: demo demo-data test bench compiled test-compiled lint fuzz image-steps reference dashboards screenshots clean

demo: $(STAMP)
	@deploy/need.sh $(PHP) $(CURL)
	@$(BIN)/python -m examples.paymenter.demo

demo-data: $(STAMP)
	@deploy/need.sh $(DATABASES)
	@$(BIN)/python -m examples.paymenter.demo_data

test: $(STAMP)
	@deploy/need.sh $(PHP) $(CURL) $(SERVERS) $(DATABASES) $(BROWSER)
	$(BIN)/pytest -n 2 --dist loadfile --max-worker-restart 0 $(TESTS) || { [ $$? = 1 ] && $(ONCE_MORE) $(TESTS); }

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fuzz: $(STAMP)
	$(BIN)/python tests/fuzz/http1.py --seconds $(FUZZ_SECONDS)

bench: $(STAMP) compiled
	@deploy/need.sh $(PEERS)
	STRANGLER_COMPILED=build/compiled $(BIN)/python -m bench --write
	STRANGLER_COMPILED=build/compiled $(BIN)/python -m bench.compare --write
	$(BIN)/python -m bench.workers --rounds 3 --seconds 2 --write
	$(BIN)/python -m bench.fleet --rounds 1 --seconds 5 --write

compiled: $(STAMP)
	@deploy/need.sh $(COMPILER)
	$(BIN)/python deploy/compiled.py --wheel

test-compiled: compiled
	cd build/compiled && ../../$(BIN)/pytest -n 2 --dist loadfile $(COMPILED_TESTS)

dashboards: $(STAMP)
	$(BIN)/python -m dashboards.grafana.dashboards

screenshots: $(STAMP)
	@deploy/need.sh $(PHP) $(BROWSER)
	$(BIN)/python docs/pictures/make.py

reference: $(STAMP)
	$(BIN)/python docs/reference/make.py

image-steps:
	@deploy/need.sh $(IMAGE)
	$(PYTHON) deploy/image_steps.py

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || deploy/need.sh /usr/lib/python3/dist-packages/no-such-file:python3-venv
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing Python packages into .venv"
	@$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
