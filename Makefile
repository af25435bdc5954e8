# Every task of the course; `make help` lists them. ARGS holds what a task takes: ARGS="4.4 5.1" chooses
# sections, ARGS=--help says what else there is.
# On Linux and macOS with any make; on Windows with GNU make from a POSIX shell such as Git Bash.
PYTHON ?= python3
VENV := .venv
JOBS ?= 2
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python
ARGS ?=

.PHONY: help setup data run sweep test lint format lab student check grade refresh stamp colab site pdf bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

setup: $(VENV)/ready  ## make the virtual environment .venv and install everything, once

$(VENV)/ready: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here: install Python 3.11 or newer, see https://www.python.org/downloads"; exit 1; }
	@$(PYTHON) tools/install.py $(VENV)

data: setup  ## obtain Fashion-MNIST, or say that the sample will be used
	@$(PY) -m tools.data

run: data  ## execute every chapter into build/notebooks (ARGS="4.4 -p max_epochs 2" for one, shorter)
	@$(PY) -m tools.run --jobs $(JOBS) $(ARGS)

sweep: data  ## execute a chapter with many parameters: SECTION=4.4 GRID="lr=0.1,0.5 batch_size=64,256" SEEDS=3
	@$(PY) -m tools.sweep --jobs $(JOBS) --grid "$(GRID)" --seeds $(or $(SEEDS),0) $(ARGS) "$(SECTION)"

test: data lint  ## run every check (ARGS=--weekly: also those that take long, or measure times)
	@$(PY) -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder $(ARGS)

lint: setup  ## check style, types and workflows
	@$(PY) -m ruff check --quiet . && $(PY) -m ruff format --quiet --check .
	@$(PY) -m mypy --no-error-summary
	@$(BIN)/zizmor --offline --quiet .github/workflows

format: setup  ## bring code and chapters into the style that lint checks
	@$(PY) -m ruff check --quiet --fix . && $(PY) -m ruff format --quiet .

lab: setup  ## open your own copies of the chapters in JupyterLab (ARGS=--source: the chapters themselves)
	@$(PY) -m tools.editions.lab $(ARGS)

student: setup  ## write the student edition, without solutions (ANSWERS=1 keeps the answers to questions)
	@$(PY) -m tools.editions.student $(if $(ANSWERS),--answers) $(ARGS)

check: data  ## say which exercises of a notebook are solved: FILE=work/4.4-...
	@$(PY) -m tools.grading.check "$(FILE)"

grade: data  ## grade what students handed in: SUBMITTED=folder (TRUST=1: without a sandbox)
	@$(PY) -m tools.grading --jobs $(JOBS) $(if $(TRUST),--trust) $(ARGS) "$(SUBMITTED)"

refresh: data  ## execute chapters in place, to commit their new outputs (ARGS="4.4 5.1" for some)
	@$(PY) -m tools.refresh $(ARGS)

stamp: setup  ## write setup cells, badges and times: REPO=owner/name REF=v1.0 publishes, ARGS=--remove undoes it
	@$(PY) -m tools.editions.stamp $(if $(REPO),--repo $(REPO)) $(if $(REF),--ref $(REF)) $(ARGS)

colab: data  ## run chapters as Colab does: alone, with its versions, from the stamped address
	@$(PY) -m tools.editions.colab $(ARGS)

site: setup  ## make the website in build/site (SERVE=1: serve it on this computer as well)
	@$(PY) -m tools.editions.site $(if $(SERVE),--serve)

pdf: setup  ## print the whole course into build/course.pdf, with chromium
	@$(PY) -m tools.editions.pdf

bench: data  ## measure helpers against a bare PyTorch loop and d2l (ARGS="import read" for some rows)
	@$(PY) -m tools.bench $(ARGS)

clean:  ## remove what was made, but not the environment and the data
	rm -rf build .pytest_cache .ruff_cache .mypy_cache .hypothesis
