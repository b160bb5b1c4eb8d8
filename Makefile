# make demo | test | check | bench | docs: each prepares what it needs in .venv on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Versions are those of the lock; LOCK= takes the newest.
LOCK ?= requirements/lock.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(LOCK),--constraint $(LOCK))

.PHONY: demo test check bench docs reference format clean help kills fuzz fuzz-cli fuzz-statistics mutations whole-files attacks oldest prerelease processors wheel-test plugin lock

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("spectronorm needs Python 3.11 or newer; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml $(LOCK)
	$(PIP) --editable '.[report]'
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements/test.txt
	$(PIP) --editable '.[report,explore,av,parquet,remote,fastai,dask,hdf5,xarray,scikit-learn]' --requirement requirements/test.txt
	$(PIP) --no-deps 'fastai==2.8.*'  # it would bring torchvision, and that another torch
	touch $@

$(VENV)/.installed-fuzz: $(VENV)/.installed-test requirements/fuzz.txt
	$(PIP) --requirement requirements/fuzz.txt
	touch $@

$(VENV)/.installed-check: $(VENV)/.installed-test requirements/check.txt
	$(PIP) --requirement requirements/check.txt
	touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-test requirements/bench.txt
	$(PIP) --requirement requirements/bench.txt
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-test requirements/docs.txt
	$(PIP) --requirement requirements/docs.txt
	touch $@

demo: $(VENV)/.installed ## the whole job on synthesized sounds, with a report
	$(BIN)/spectronorm demo

test: $(VENV)/.installed-test ## all tests
	$(BIN)/python -m pytest -n auto

check: $(VENV)/.installed-check ## lint, format, types, architecture, public names, docstring examples
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -p no:randomly tests/test_api.py
	$(BIN)/python -m pytest tests/test_prose.py -q -p no:randomly
	@# fastai is imported by its own test alone: it warns of what torch and pandas will drop.
	$(BIN)/python -m pytest --doctest-modules src/spectronorm --ignore-glob 'src/spectronorm/interop/fastai*.py' -q -p no:randomly

format: $(VENV)/.installed-check ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-bench ## every benchmark beside its peer; updates the table in docs/benchmarks.md
	$(BIN)/python -m benchmarks

processors: $(VENV)/.installed-test ## the tests as older processors compute, with one thread, and in other orders; TESTS=tests/test_nn.py
	TESTS="$(TESTS)" .ci/processors

wheel-test: ## build the wheel, install it into an empty environment and use it outside the checkout
	PYTHON=$(PYTHON) .ci/wheel-test

lock: ## bring development to the newest versions and write them into requirements/lock.txt
	$(MAKE) LOCK= $(VENV)/.installed-check
	$(BIN)/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable '.[report,explore,av,parquet,remote,fastai,dask,hdf5,xarray,scikit-learn]' \
		--requirement requirements/test.txt --requirement requirements/check.txt
	.ci/write-lock $(BIN)/python > requirements/lock.txt.new
	mv requirements/lock.txt.new requirements/lock.txt

plugin: $(VENV)/.installed-test ## install the example plug-in into an environment of its own and run its tests
	$(BIN)/python examples/install_plugin.py

# Tests of what needs no extra, and the tools that they need.
CORE_TOOLS := 'pytest>=8.3' 'hypothesis>=6.100' 'pillow>=11'
CORE_TESTS ?= $(addprefix tests/,test_fit.py test_profile.py test_cli.py test_resample.py test_without_numba.py \
	test_long_clips.py test_bad_images.py test_compiled.py engines/test_engines.py reliability/test_exactness.py \
	reliability/test_hostile_files.py reliability/test_journal.py reliability/test_resume.py)

oldest: ## the tests of the core with the oldest versions that pyproject.toml allows, in .venv-oldest
	$(PYTHON) -m venv .venv-oldest
	$(PYTHON) requirements/oldest.py > .venv-oldest/pins.txt
	.venv-oldest/bin/python -m pip install --quiet --editable . --constraint .venv-oldest/pins.txt $(CORE_TOOLS)
	.venv-oldest/bin/python -m pytest -q $(CORE_TESTS)

prerelease: ## the tests of the core with pre-releases of all that it depends on, in .venv-prerelease
	$(PYTHON) -m venv .venv-prerelease
	.venv-prerelease/bin/python -m pip install --quiet --upgrade --pre --editable . $(CORE_TOOLS)
	.venv-prerelease/bin/python -m pip list
	.venv-prerelease/bin/python -m pytest -q $(CORE_TESTS)

KILLS ?= 100
kills: $(VENV)/.installed-test ## kill passes at random moments and resume them; KILLS=100
	cd tests && ../$(BIN)/python -m reliability.kill --kills $(KILLS)

FUZZ_SECONDS ?= 300
fuzz: $(VENV)/.installed-fuzz ## fuzz what reads profiles, pipelines, images, archives and journals; FUZZ_SECONDS=300
	cd tests && ../$(BIN)/python -m reliability.fuzz ../.fuzz -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048

RUNS ?= 2000
fuzz-statistics: $(VENV)/.installed-test ## prefixes and mutations of every statistics format; RUNS=20000
	SPECTRONORM_MUTATIONS=$(RUNS) $(BIN)/python -m pytest -q -p no:randomly tests/interop -k prefix

fuzz-cli: $(VENV)/.installed-test ## command lines at random, in process; RUNS=2000
	SPECTRONORM_FUZZ_RUNS=$(RUNS) $(BIN)/python -m pytest -q -p no:randomly tests/reliability/test_cli_fuzz.py

whole-files: $(VENV)/.installed-test ## headers that lie, and files of FFmpeg, SoX, flac, LAME and oggenc where they are installed
	$(BIN)/python -m pytest -q tests/reliability/test_whole_files.py tests/reliability/test_real_writers.py \
		tests/reliability/test_bad_inputs.py -k "not mutated"

MUTATIONS ?= 100000
mutations: $(VENV)/.installed-test ## bytes of every format changed at random; MUTATIONS=100000
	SPECTRONORM_MUTATIONS=$(MUTATIONS) $(BIN)/python -m pytest -q tests/reliability/test_mutations.py

attacks: $(VENV)/.installed-test ## every attack on files, options, names, places and processes, as tables, with the large counts
	cd tests && SPECTRONORM_FUZZ_RUNS=$(RUNS) SPECTRONORM_MUTATIONS=$(MUTATIONS) \
		../$(BIN)/python -m reliability.attacks -q -n auto
	cd tests && ../$(BIN)/python -m reliability.surroundings
	cd tests && ../$(BIN)/python -m reliability.kill --kills $(KILLS)

reference: $(VENV)/.installed-test ## the reference of the Python interface as Markdown, in docs/reference
	$(BIN)/python docs/make_reference.py

docs: $(VENV)/.installed-docs reference ## the documentation, as HTML in docs/_build; its notebooks run
	$(BIN)/sphinx-build -nW --keep-going -b html docs docs/_build

clean: ## remove what was built
	rm -rf $(VENV) .venv-oldest .venv-prerelease docs/_build docs/jupyter_execute spectronorm-demo .fuzz
