# Two commands do everything on a fresh Debian machine: `make demo`, `make test`.

PYTHON := $(shell test -x /usr/bin/python3 && echo /usr/bin/python3 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
FUZZ_SECONDS ?= 600
TESTS ?= tests
PHP := php:php-cli /usr/lib/php/*/pdo_sqlite.so:php-sqlite3
SERVERS := /usr/sbin/php-fpm*:php-fpm nginx:nginx-light systemd-analyze:systemd
PEERS := nginx:nginx-light haproxy:haproxy wrk:wrk taskset:util-linux

IMAGE := mmdebstrap:mmdebstrap chroot:coreutils

.PHONY: demo test bench lint fuzz image-steps clean

demo: $(STAMP)
	@deploy/need.sh $(PHP)
	@$(BIN)/python -m examples.paymenter.demo

test: $(STAMP)
	@deploy/need.sh $(PHP) $(SERVERS)
	$(BIN)/pytest -n 2 --dist loadfile $(TESTS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fuzz: $(STAMP)
	$(BIN)/python tests/fuzz/http1.py --seconds $(FUZZ_SECONDS)

bench: $(STAMP)
	@deploy/need.sh $(PEERS)
	$(BIN)/python -m bench --write

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
