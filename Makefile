# Two commands do everything on a fresh Debian machine: `make demo`, `make test`.

# Looked up when it is used: on a bare machine `packages` brings it.
PYTHON = $(shell test -x /usr/bin/python3 && echo /usr/bin/python3 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
FUZZ_SECONDS ?= 600
TESTS ?= tests
RELEASE ?= bookworm

# The Debian packages that each target needs, as `command:package`; README.md has them as a table.
VENV = $(shell $(or $(PYTHON),false) -c 'import ensurepip, venv' 2>/dev/null || echo /no/ensurepip:python3-venv)
CURL := curl:curl
PHP := php:php-cli $(shell sed -n '/mysql/q; s,^\([a-z0-9_]*\) = \(.*\),/usr/lib/php/*/\1.so:\2,p' examples/paymenter/legacy-php/extensions.ini)
BROWSER := chromium:chromium
METRICS := prometheus:prometheus
MANUAL := groff:groff-base
SERVERS := /usr/sbin/php-fpm*:php-fpm nginx:nginx-light systemd-analyze:systemd redis-server:redis-server
DATABASES := /usr/sbin/mariadbd:mariadb-server /usr/lib/postgresql/*/bin/postgres:postgresql setpriv:util-linux
PEERS := nginx:nginx-light haproxy:haproxy wrk:wrk taskset:util-linux redis-server:redis-server
COMPILER := gcc:gcc /usr/include/python3.*/Python.h:python3-dev
TREES := /usr/bin/python3:python3 mmdebstrap:mmdebstrap chroot:coreutils

NEEDS_demo = $(VENV) $(PHP) $(CURL)
NEEDS_test = $(VENV) $(PHP) $(CURL) $(SERVERS) $(DATABASES) $(BROWSER) $(METRICS) $(MANUAL)
NEEDS_demo-data = $(VENV) $(DATABASES)
NEEDS_lint = $(VENV)
NEEDS_attack = $(VENV)
NEEDS_real-apps = $(VENV) $(PHP) $(DATABASES)
NEEDS_fuzz = $(VENV)
NEEDS_compiled = $(VENV) $(COMPILER)
NEEDS_wheels = $(NEEDS_compiled)
NEEDS_test-compiled = $(NEEDS_compiled)
NEEDS_bench = $(NEEDS_compiled) $(PEERS)
NEEDS_dashboards = $(VENV)
NEEDS_screenshots = $(VENV) $(PHP) $(BROWSER)
NEEDS_reference = $(VENV)
NEEDS_image-steps = $(TREES)
NEEDS_bare = $(TREES) unshare:util-linux git:git

COMPILED_TESTS := tests/comparators tests/http1 tests/worker tests/property tests/rules tests/telemetry tests/state tests/deploy/test_wheel.py

# What failed in a run that came to its end is asked once more, alone: see docs/decisions/0011-tests-of-real-processes.md.
ONCE_MORE := $(abspath $(BIN))/pytest --last-failed --last-failed-no-failures none --maxfail 1

# What runs here may keep compiled sources: a start costs a third more without.
unexport PYTHONDONTWRITEBYTECODE

# Four processes of tests would each compile every file of them: two do so before, half of them each.
COMPILE_TESTS = test -d tests/__pycache__ || for half in "[a-i]" "[j-z]"; do \
	$(abspath $(BIN))/pytest -qq -n 0 --collect-only tests/$$half*/ >/dev/null 2>&1 & done; wait

.PHONY: packages demo demo-data test attack bench real-apps compiled wheels test-compiled lint fuzz image-steps bare reference dashboards screenshots clean

demo: $(STAMP)
	@$(BIN)/python -m examples.paymenter.demo

demo-data: $(STAMP)
	@$(BIN)/python -m examples.paymenter.demo_data

test: $(STAMP)
	@$(if $(filter tests,$(TESTS)),$(COMPILE_TESTS),:)
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(TESTS) || { [ $$? = 1 ] && $(ONCE_MORE) $(TESTS); }

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fuzz: $(STAMP)
	$(BIN)/python tests/fuzz/http1.py --seconds $(FUZZ_SECONDS)

# Without addresses an instance is started and attacked: make attack [ADMIN=http://HOST:PORT USERS=http://HOST:PORT]
attack: $(STAMP)
ifdef ADMIN
	$(BIN)/python tests/attacks/attack.py --admin $(ADMIN) --users $(USERS)
else
	$(BIN)/pytest -n 0 tests/attacks
endif

bench: $(STAMP) compiled
	STRANGLER_COMPILED=build/compiled $(BIN)/python -m bench --write
	STRANGLER_COMPILED=build/compiled $(BIN)/python -m bench.compare --write
	$(BIN)/python -m bench.workers --rounds 3 --seconds 2 --write
	$(BIN)/python -m bench.fleet --rounds 1 --seconds 5 --write
	$(BIN)/python -m bench.corpora --write
	STRANGLER_COMPILED=build/compiled $(BIN)/python -m bench.compare --kinds --write

real-apps: $(STAMP)
	$(BIN)/python -m bench.real_apps $(APPS)

compiled: $(STAMP)
	$(BIN)/python deploy/compiled.py --wheel

# A Python that is not here comes from a bare Debian tree, which takes root and mmdebstrap. CACHE=folder keeps what was
# downloaded.
wheels: packages
	$(PYTHON) deploy/wheels.py $(if $(CACHE),--cache $(CACHE))

test-compiled: compiled
	@cd build/compiled && { $(COMPILE_TESTS); }
	cd build/compiled && { ../../$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(COMPILED_TESTS) \
	  || { [ $$? = 1 ] && $(ONCE_MORE) $(COMPILED_TESTS); }; }

dashboards: $(STAMP)
	$(BIN)/python -m dashboards.grafana.dashboards

screenshots: $(STAMP)
	$(BIN)/python docs/pictures/make.py

reference: $(STAMP)
	$(BIN)/python docs/reference/make.py

image-steps: packages
	$(PYTHON) deploy/image_steps.py

# The commands of the README in a bare Debian tree. RELEASE=trixie; TESTS=...; TREE=folder keeps the tree,
# CACHE=folder what was downloaded.
bare: packages
	$(PYTHON) deploy/bare.py --release $(RELEASE) --tests "$(TESTS)" $(if $(TREE),--tree $(TREE)) $(if $(CACHE),--cache $(CACHE))

# Everything that the wanted targets lack, at once and before anything else is tried.
packages:
	@deploy/need.sh $(foreach goal,$(or $(MAKECMDGOALS),demo),$(NEEDS_$(goal)))

$(STAMP): pyproject.toml | packages
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing Python packages into .venv"
	@$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
