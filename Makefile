# Everything runs in its own virtual environment, .venv, which is created on first use. `make help` lists the commands.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=
# Number of test processes; 0 runs all tests in one. Browser tests take longest, so they start first.
WORKERS ?= 2

# Ignore what the user has set for other projects.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONDONTWRITEBYTECODE VIRTUAL_ENV CONDA_PREFIX JUPYTER_PATH JUPYTER_CONFIG_PATH
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PIP_CONSTRAINT
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

# pywwt needs toasty, which PyPI has as C source only. Without a compiler, PyPI's ziglang compiles it.
ZIG := $(abspath $(VENV))/bin/zig
# Options of make for parts that run side by side.
TOGETHER := --no-print-directory --jobs=2
# A line every 20 seconds: nothing is heard of pip for minutes, and who hears nothing presses Ctrl-C.
TICK := while sleep 20 >/dev/null 2>&1; do n=$$((n+20)); echo "  still installing after $$n seconds"; done & tick=$$!; \
  trap 'kill $$tick 2>/dev/null' EXIT
INSTALL := $(TICK); if [ -x $(ZIG) ]; then export CC="$(ZIG) cc"; fi; $(PY) -m pip install --quiet --editable

.PHONY: help demo docs test compat fuzz bench soak audit pictures js lint clean
.PHONY: lint-python lint-types lint-js test-js chromium
.DELETE_ON_ERROR:

help:
	@echo "make demo    start the sandbox server and JupyterLab with the tutorial; Ctrl-C stops both"
	@echo "make docs    build the documentation site into build/docs/site"
	@echo "make test    run lint and all tests (ARGS='-k license' selects some)"
	@echo "make compat  run the tests without a browser with the oldest and the newest packages, on each Python here from 3.11 to 3.14"
	@echo "make fuzz    run the property tests with many random examples"
	@echo "make bench   measure speed and size side by side with other programs"
	@echo "make soak    publish thousands of times through failing servers, gateways and killed clients"
	@echo "make audit   look up known vulnerabilities of all packages, and write a bill of materials"
	@echo "make pictures  take the screenshots of the README again"
	@echo "make js      build the JavaScript if its sources have changed"
	@echo "make lint    check style, format and types, of Python and TypeScript"
	@echo "make clean   remove everything that was built or installed here"

demo: $(VENV)/.demo js
	@exec $(PY) notebooks/demo.py

docs: $(VENV)/.docs js
	@$(PY) notebooks/build_site.py

test: $(VENV)/.test js
	@$(MAKE) $(TOGETHER) lint-types lint-js test-js lint-python chromium
	@$(PY) -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(ARGS)

compat: $(VENV)/.test js
	@$(PY) tests/compat.py --workers=$(WORKERS) $(ARGS)

fuzz: $(VENV)/.test js
	@CXW_HYPOTHESIS_PROFILE=fuzz $(PY) -m pytest -m hypothesis --numprocesses=$(WORKERS) $(ARGS)

bench: $(VENV)/.test js
	@$(PY) tests/benchmarks/run.py $(ARGS)

soak: $(VENV)/.test
	@$(PY) tests/soak/run.py $(ARGS)

audit: $(VENV)/.test js
	@$(PY) tools/audit.py

pictures: $(VENV)/.test js
	@$(PY) tests/browser/take_pictures.py

lint: $(VENV)/.test js
	@$(MAKE) $(TOGETHER) lint-types lint-js lint-python

# Parts of lint and test, which run side by side once everything is installed and built.
lint-python:
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet .

lint-types:
	@$(PY) -m mypy --no-error-summary

lint-js:
	@$(PY) js/bundle.py check

test-js:
	@$(PY) js/bundle.py test

chromium:
	@$(PY) tests/browser/chromium.py

js: $(VENV)/.made
	@$(PY) js/bundle.py

clean:
	rm -rf $(VENV) build dist constellations_widgets/static js/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find constellations_widgets js tests tools -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: install it, or name it with make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python can't make virtual environments: install venv for it (Debian, Ubuntu: apt-get install python3-venv)"; exit 1; }
	@$(PYTHON) -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' || \
	  { echo "The C headers of this Python are missing: install them (Debian, Ubuntu: apt-get install python3-dev)"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@command -v cc >/dev/null || command -v gcc >/dev/null || { $(PY) -m pip install --quiet ziglang && \
	  ln -s "$$($(PY) -c 'import pathlib, ziglang; print(pathlib.Path(ziglang.__file__).with_name("zig"))')" $(ZIG); }
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	@echo "Installing into $(VENV) and building the widgets: some minutes, this first time."
	@$(INSTALL) '.[demo]'
	@touch $@

$(VENV)/.docs: $(VENV)/.made pyproject.toml
	@echo "Installing into $(VENV) and building the widgets: some minutes, this first time."
	@$(INSTALL) '.[docs]'
	@touch $@ $(VENV)/.demo

# Includes what the demo and the site need. The older ipykernel, for a second kernel of the tests, has its own folder.
$(VENV)/.test: $(VENV)/.made pyproject.toml
	@echo "Installing into $(VENV) and building the widgets: some minutes, this first time."
	@$(INSTALL) '.[test]'
	@$(PY) -m pip install --quiet --upgrade --no-deps --target $(VENV)/ipykernel6 'ipykernel>=6.29,<7'
	@touch $@ $(VENV)/.demo $(VENV)/.docs
