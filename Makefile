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

.DEFAULT_GOAL := help
.PHONY: help install run test lab notebooks lint bench pretrained report environment clean

help:
	@echo "make run          execute the course into build/course/ and print the table"
	@echo "make test         unit tests, notebooks, browser tests"
	@echo "make lab          open JupyterLab on the notebooks"
	@echo "make notebooks    execute the notebooks where they lie, on real images, to be committed"
	@echo "make lint         check style, notebooks included"
	@echo "make bench        measure speed"
	@echo "make pretrained   train the models that the course ships (about five hours on two cores)"
	@echo "make report       measure the tables that the course shows, write those of README (some minutes)"
	@echo "make environment  write environment.yml from pyproject.toml"
	@echo "make clean        remove .venv and build/"

install: $(STAMP)

run: $(STAMP)
	$(BIN)/medgen run $(NOTEBOOKS)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

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
	$(BIN)/python recipes/sweeps.py
	$(BIN)/python recipes/classifier.py
	$(BIN)/python recipes/gan.py
	$(BIN)/python recipes/translation.py

report: $(STAMP)
	$(BIN)/python recipes/report.py

environment: $(STAMP)
	$(BIN)/pyproject2conda project --overwrite force

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
	  -c constraints.txt -e '.[test]'
	@$(BIN)/python -c 'import torchvision' 2>/dev/null || $(BIN)/python -m pip uninstall --quiet --yes torchvision
	@touch $@
