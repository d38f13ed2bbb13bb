# One target per promise; `make` alone lists them. Everything but `make clean` sets up .venv first.
# On Windows there is no make: README.md gives the same steps with pip and `medgen`.

PYTHON ?= python3
# Another index for torch; README.md says when a laptop wants one.
TORCH_INDEX ?=
# Notebooks to run or to store, all by default: make run NOTEBOOKS="00 01"
NOTEBOOKS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BROWSER := $(VENV)/.browser

.DEFAULT_GOAL := help
.PHONY: help install run test browser lab notebooks lint bench pretrained report environment docs site wheel clean

help:
	@echo "make run          execute the course into build/course/ and print the table"
	@echo "make test         unit tests, notebooks, browser tests"
	@echo "make browser      look again for a Chromium for the browser tests, and fetch one if there is none"
	@echo "make lab          open JupyterLab on the notebooks"
	@echo "make notebooks    execute the notebooks where they lie, on real images, to be committed"
	@echo "make lint         check style, notebooks included"
	@echo "make bench        measure speed, of the whole course too (about half an hour)"
	@echo "make pretrained   train the models that the course ships (about five hours on two cores)"
	@echo "make report       measure the tables that the course shows, write those of README (some minutes)"
	@echo "make environment  write environment.yml from pyproject.toml"
	@echo "make docs         pages of the package's functions, from their docstrings, into build/docs/"
	@echo "make site         the course as web pages with live explorers, into build/site/ (needs Node.js)"
	@echo "make wheel        what pip installs without a checkout, into build/dist/"
	@echo "make clean        remove .venv and build/"

install: $(STAMP)

run: $(STAMP)
	$(BIN)/medgen run $(NOTEBOOKS)

test: $(STAMP) $(BROWSER) $(if $(shell command -v npm),site/node_modules)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

browser: $(STAMP)
	@rm -f $(BROWSER)
	@$(MAKE) --no-print-directory $(BROWSER)

lab: $(STAMP)
	$(BIN)/python -m jupyterlab --ServerApp.root_dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

notebooks: $(STAMP)
	$(BIN)/medgen run --in-place $(NOTEBOOKS)

lint: $(STAMP)
	$(BIN)/ruff check .

bench: $(STAMP)
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

pretrained: $(STAMP)
	$(BIN)/python recipes/pretrain.py
	$(BIN)/python recipes/autoencoders.py pneumoniamnist
	$(BIN)/python recipes/sweeps.py
	$(BIN)/python recipes/classifier.py
	$(BIN)/python recipes/gan.py
	$(BIN)/python recipes/growing.py
	$(BIN)/python recipes/growing_ship.py
	$(BIN)/python recipes/recordings.py
	$(BIN)/python recipes/seeds.py
	$(BIN)/python recipes/games.py
	$(BIN)/python recipes/translation_eye.py
	$(BIN)/python recipes/cyclegan.py
	$(BIN)/python recipes/pix2pix.py
	$(BIN)/python recipes/finer.py
	$(BIN)/python recipes/tell_apart.py
	$(BIN)/python recipes/lab.py
	$(BIN)/python recipes/known_map.py
	$(BIN)/python recipes/anomaly.py
	$(BIN)/python recipes/enhancement.py
	$(BIN)/python recipes/few_recognition.py
	$(BIN)/python recipes/trust_privacy.py
	$(BIN)/python recipes/trust_explain.py
	$(BIN)/python recipes/few_segmentation.py

report: $(STAMP)
	$(BIN)/python recipes/report.py

environment: $(STAMP)
	$(BIN)/pyproject2conda project --overwrite force

docs: $(STAMP)
	$(BIN)/python recipes/api.py

site: $(STAMP) site/node_modules
	$(BIN)/medgen site

site/node_modules: site/package-lock.json
	cd site && npm ci --no-audit --no-fund
	@touch $@

wheel: $(STAMP)
	$(BIN)/python -m build --no-isolation --outdir build/dist .

clean:
	rm -rf $(VENV) build

# torch is pinned and installed in the same command as the rest: otherwise medmnist's torchvision would
# bring a newer torch. A torchvision that does not match the torch at hand breaks other packages on
# import; the course never imports it, so such a one is removed.
$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: there is no '$(PYTHON)' here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $(PYTHON) is `$(PYTHON) --version 2>&1`, the course needs 3.11 or newer: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { \
	  echo "make: $(PYTHON) cannot make environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) \
	  -c constraints.txt -e '.[docs,test]'
	@$(BIN)/python -c 'import torchvision' 2>/dev/null || $(BIN)/python -m pip uninstall --quiet --yes torchvision
	@touch $@

# A Chromium that starts: one that is there, else playwright's download into its own folder, else, as root on
# Debian, the system's. Tried once and for minutes at most; without one the browser tests are skipped, and
# pytest says so in its last lines. (macOS has no `timeout`; there playwright gives up by itself.)
$(BROWSER): $(STAMP)
	@found() { $(BIN)/python -c 'import sys; from medgen_course.doctor import chromium as found; sys.exit(not found())'; }; \
	within() { if command -v timeout >/dev/null; then timeout "$$@"; else shift; "$$@"; fi; }; \
	debian() { test "`id -u`" = 0 && command -v apt-get >/dev/null; }; \
	export DEBIAN_FRONTEND=noninteractive PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT=10000; \
	found || { echo "make: fetching a Chromium for the browser tests" && \
	  within 300 $(BIN)/python -m playwright install --no-shell chromium >/dev/null 2>&1 && found; } || \
	{ debian && echo "make: playwright has none that starts here, so apt-get installs Debian's" && \
	  within 120 apt-get update -qq >/dev/null 2>&1; \
	  debian && within 300 apt-get install -y -qq --no-install-recommends --download-only chromium >/dev/null 2>&1 && \
	  apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 && found; } || \
	echo "make: no Chromium, so browser tests will be skipped; make browser tries again"
	@touch $@
