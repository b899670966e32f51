# Everything here runs in a virtual environment of its own, .venv, made on first use. `make help` lists the commands.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=
# Test files at a time; 0 is one after the other in one process. The browser's, which take longest, come first.
WORKERS ?= 2

# What the user has set for other projects must not reach this one.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV CONDA_PREFIX JUPYTER_PATH JUPYTER_CONFIG_PATH
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PIP_CONSTRAINT
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

# pywwt needs toasty, which PyPI has as C source only: where there is no compiler, that of PyPI's ziglang compiles it.
ZIG := $(abspath $(VENV))/bin/zig
INSTALL := if [ -x $(ZIG) ]; then export CC="$(ZIG) cc"; fi; $(PY) -m pip install --quiet --editable

.PHONY: help demo test bench soak pictures js lint clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    start the sandbox server and JupyterLab with the tutorial; Ctrl-C stops both"
	@echo "make test    lint, unit, property, sandbox and browser tests (ARGS='-k license' picks some)"
	@echo "make bench   speed and size, measured side by side with others"
	@echo "make soak    2,000 publications at a bad server and 50 kills: each image is there once in the end"
	@echo "make pictures  take the README's pictures anew"
	@echo "make js      build the JavaScript, where its sources have changed"
	@echo "make lint    ruff, and the types of the TypeScript"
	@echo "make clean   remove all that was built or installed here"

demo: $(VENV)/.demo js
	@exec $(PY) notebooks/demo.py

test: lint
	@$(PY) js/bundle.py test
	@$(PY) tests/browser/chromium.py
	@$(PY) -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(ARGS)

bench: $(VENV)/.test js
	@$(PY) tests/benchmarks/run.py $(ARGS)

soak: $(VENV)/.test
	@$(PY) tests/soak/run.py $(ARGS)

pictures: $(VENV)/.test js
	@$(PY) tests/browser/take_pictures.py

lint: $(VENV)/.test js
	@$(PY) -m ruff check --quiet .
	@$(PY) js/bundle.py check

js: $(VENV)/.made
	@$(PY) js/bundle.py

clean:
	rm -rf $(VENV) build dist constellations_widgets/static js/node_modules .pytest_cache .ruff_cache .hypothesis
	find constellations_widgets js tests -name __pycache__ -prune -exec rm -rf {} +

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

# All that the demo needs is in here too. The older ipykernel, of which the tests make a second kernel, has a folder of its own.
$(VENV)/.test: $(VENV)/.made pyproject.toml
	@echo "Installing into $(VENV) and building the widgets: some minutes, this first time."
	@$(INSTALL) '.[test]'
	@$(PY) -m pip install --quiet --upgrade --no-deps --target $(VENV)/ipykernel6 'ipykernel>=6.29,<7'
	@touch $@ $(VENV)/.demo
