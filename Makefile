# Two commands are enough: `make run` and `make test`. Each makes what it needs.
PYTHON ?= python3
BIN := .venv/bin
export DO_NOT_TRACK := true
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help requirements audit sbom install run test test-slow lint parameters docs pictures viz-pictures viz ui bench reproduce clean
.DEFAULT_GOAL := help

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "layerwise needs Python 3.11 or newer: make PYTHON=python3.11 run")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,lint]'
	touch $@

install: $(BIN)/installed ## Make the environment .venv, and run nothing

run: $(BIN)/installed ## Pretrain and fine-tune a deep belief network on 5,000 real digits
	$(BIN)/kedro run --pipelines=dbn

test: $(BIN)/installed ## Run the tests, without the slow ones
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-gpu: $(BIN)/installed ## Run the tests where there is a GPU
	$(BIN)/python -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "make test-gpu: torch finds no GPU here")'
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

test-slow: $(BIN)/installed ## Run the slow tests too
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "slow or not slow"

lint: $(BIN)/installed ## Check style, imports and types
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/mypy src

parameters: $(BIN)/installed ## Write every parameter with its default into conf/base and docs/
	$(BIN)/python docs/make_parameters.py conf/base/parameters.yml
	$(BIN)/python docs/make_hyperparameters.py docs/hyperparameters.md

docs: $(BIN)/installed ## Build the documentation into site/, warnings as errors
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python docs/make_hyperparameters.py docs/hyperparameters.md
	$(BIN)/python docs/make_api.py docs/api.md
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

requirements: $(BIN)/installed ## Write requirements.txt, the constraints with their hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python docs/make_requirements.py requirements.txt

audit: $(BIN)/installed ## Ask for known weaknesses of the requirements (needs the network)
	$(BIN)/python -m pip install --quiet 'pip-audit>=2.7,<3'
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.txt

sbom: $(BIN)/installed ## Write sbom.json, the software bill of materials (CycloneDX)
	$(BIN)/python -m pip install --quiet 'cyclonedx-bom>=5,<8'
	$(BIN)/cyclonedx-py requirements requirements.txt -o sbom.json

pictures: $(BIN)/installed ## Plot the documentation's figures of finished runs anew
	$(BIN)/python docs/make_pictures.py

viz-pictures: $(BIN)/installed ## Take the documentation's pictures of Kedro-Viz anew (needs Chromium)
	$(BIN)/python docs/make_viz_pictures.py

viz: $(BIN)/installed ## Look at the pipelines, with their figures
	$(BIN)/kedro viz run

ui: $(BIN)/installed ## Look at the runs
	$(BIN)/mlflow ui

bench: $(BIN)/installed ## Measure speed against the bare matrix products
	$(BIN)/python benchmarks/rbm_throughput.py

reproduce: $(BIN)/installed ## Run the rows of docs/reproduction.md that have no figure yet: hours (ROWS=, SEEDS=, MINUTES=)
	$(BIN)/python benchmarks/reproduce.py $(ROWS) --seeds $(or $(SEEDS),1) $(if $(MINUTES),--minutes $(MINUTES))

clean: ## Remove what was made here, but not your runs and data
	rm -rf site .venv .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .viz build src/*.egg-info
