# Every task of the course; `make help` lists them.
# On Linux and macOS with any make; on Windows with GNU make from a POSIX shell such as Git Bash.
PYTHON ?= python3
VENV := .venv
JOBS ?= 2
COLAB_PYTHON ?= python3.13
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python

.PHONY: help setup data run test lint lab refresh stamp colab bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

setup: $(VENV)/ready  ## make the virtual environment .venv and install everything, once

$(VENV)/ready: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here: install Python 3.11 or newer, see https://www.python.org/downloads"; exit 1; }
	@$(PYTHON) tools/install.py $(VENV)

data: setup  ## obtain Fashion-MNIST, or say that the sample will be used
	@$(PY) -m tools.data

run: data  ## execute every chapter into build/notebooks (RUN="4.4 -p max_epochs 2" for one, shorter)
	@$(PY) -m tools.run --jobs $(JOBS) $(RUN)

test: data lint  ## run every check: style, unit tests, every chapter against its committed outputs
	@$(PY) -m pytest -n $(JOBS) --dist loadscope

lint: setup  ## check style
	@$(PY) -m ruff check --quiet . && $(PY) -m ruff format --quiet --check .

lab: setup  ## open the course in JupyterLab
	@$(PY) -m jupyterlab notebooks/0.1-installation.ipynb

refresh: data  ## execute the chapters in place, to commit their new outputs (SECTIONS="4.4 5.1" for some)
	@$(PY) -m tools.refresh $(SECTIONS)

stamp: setup  ## write address and setup cell into every chapter: REPO=owner/name REF=v1.0, or none
	@$(PY) -m tools.editions.stamp $(if $(REPO),--repo $(REPO)) $(if $(REF),--ref $(REF))

colab: data  ## run the chapters as Colab does: alone, with its versions, from the stamped address
	@$(PY) -m tools.editions.colab --python $(COLAB_PYTHON) $(RUN)

bench: data  ## measure helpers against a bare PyTorch loop and d2l (BENCH="import read" for some)
	@$(PY) -m tools.bench $(if $(README),--readme) $(BENCH)

clean:  ## remove what was made, but not the environment and the data
	rm -rf build .pytest_cache .ruff_cache .hypothesis
