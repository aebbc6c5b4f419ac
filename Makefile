# The verbs of Earwitness. `make demo` and `make test` do all the set-up on a fresh machine.
PYTHON ?= python3
CONSTRAINTS ?= constraints/cpu.txt
PORT ?= 8000
BIN := .venv/bin
READY := .venv/.ready
SHELL := /bin/bash
# Tests run side by side in this many processes, each with one thread: on small arrays two threads mostly wait for each other.
# Bytecode is kept even where PYTHONDONTWRITEBYTECODE is set, as in many images: the commands that are tested start fast.
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
COST := 'Processor: %U s (user) + %S s (system), in %R s.'

.PHONY: demo test test-fast coverage check docs package serve setup clean

# Make .venv once, and again whenever the dependencies change. `CONSTRAINTS=` (empty) leaves the pins out, e.g. on a GPU machine.
setup: $(READY)
$(READY): pyproject.toml $(wildcard $(CONSTRAINTS))
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.2"
	$(BIN)/python -m pip install $(addprefix --constraint ,$(CONSTRAINTS)) --editable ".[dev]"
	@touch $(READY)

# Fetch the embedded models and three real clips, ask one question about each, then run a small benchmark over them.
demo: $(READY)
	$(BIN)/earwitness models pull
	$(BIN)/earwitness demo demo
	$(BIN)/earwitness ask demo/speech.wav "What does the speaker say it was the best of?" --choice "Times" --choice "Friends" --choice "Weather" --choice "Luck"
	$(BIN)/earwitness ask demo/water.wav "What is heard in this recording?" --choice "A dog barking" --choice "Running water" --choice "A violin" --choice "People laughing"
	$(BIN)/earwitness ask demo/drums.wav "Which instrument is heard?" --choice "Flute" --choice "Piano" --choice "Drum kit" --choice "Church organ"
	rm -rf runs/demo
	$(BIN)/eval run --path cascade --bench demo/demo.json --out runs/demo

test: $(READY)
	$(BIN)/earwitness models pull
	@TIMEFORMAT=$(COST); time { $(PYTEST) -n $(WORKERS) --dist loadfile -m "not vllm and not alone" && $(PYTEST) -p no:schemathesis -m "alone and not vllm" $(ALONE); }

# The files of tests that other tests would disturb; the rest need not be collected for them.
ALONE := $(shell grep -rl --include='test_*.py' 'mark\.alone' tests)

# Without weights, browser and Ray, and without what is slow; the slowest of the rest are named at the end. Files that are
# left out as a whole are not imported, nor is the plugin of schemathesis, which only such a file needs.
test-fast: $(READY)
	@TIMEFORMAT=$(COST); time $(PYTEST) -p no:schemathesis $(addprefix --ignore=,$(NOT_FAST)) \
		-m "not (vllm or alone or weights or browser or slow)" --durations=5 --durations-min=1

NOT_FAST := $(shell grep -rlE --include='test_*.py' '^pytestmark = pytest\.mark\.(alone|browser|slow|weights)' tests)

# The share of lines and branches that the tests run, in the processes that they start too; under 90 % it fails.
coverage: $(READY)
	$(BIN)/earwitness models pull
	rm -f .coverage*
	$(PYTEST) -n $(WORKERS) --dist loadfile -m "not vllm and not alone" --cov --cov-report=
	$(PYTEST) -m "alone and not vllm" $(ALONE) --cov --cov-append --cov-report=
	$(BIN)/coverage report --skip-covered

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	MYPYPATH=benchmarks $(BIN)/mypy benchmarks/*.py docs/tools/*.py
	MYPYPATH=. $(BIN)/mypy --explicit-package-bases benchmarks/*/*.py
	$(BIN)/lint-imports
	$(BIN)/vulture
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Write the pages that come out of the code (tests compare them), then build the documentation into site/, without the network.
docs: $(READY)
	$(BIN)/python docs/tools/generated_parts.py
	$(BIN)/python -m agents.graph.graph > docs/graph.md
	$(BIN)/python docs/tools/graph_drawing.py > docs/images/graph.svg
	$(BIN)/python -m services.http.schema > docs/answer.schema.json
	$(BIN)/python docs/tools/openapi.py > docs/openapi.json
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Build dist/*.tar.gz, and from it dist/*.whl, with what `setup` installed.
package: $(READY)
	$(BIN)/python -m build --no-isolation

# Serve the HTTP API on loopback until Ctrl-C.
serve: $(READY)
	@exec $(BIN)/earwitness serve --port $(PORT)

clean:
	rm -rf .venv demo runs build dist site *.egg-info
