# The two commands of the README: make demo, make test. Everything is installed into .venv, once.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all check format clean

.venv/.ok: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/.ok
	$(BIN)/overpaint demo --out runs/demo

# Two workers, one thread each: as quick as two cores get, and the same rounding on every machine.
test: .venv/.ok
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m "not slow"

test-all: .venv/.ok
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2

check: .venv/.ok
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/pyright
	$(MAKE) test

format: .venv/.ok
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix src tests

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache
