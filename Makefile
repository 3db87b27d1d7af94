# `make help` says what there is. Every target makes what it needs.
# RUNTIME=FILE.aar (android), DEVICE=serial (demo), EPISODES=n (demo), ARGS="..." (test, soak: more arguments),
# PYTHON=/path/to/python3.12 (the Python to make the environment with).

VENV := .venv
READY := $(VENV)/.ready
# Processes of `make test`, one more than the cores of a small machine, for many tests wait; each takes up to 1.5 GB.
JOBS ?= 3
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo android test test-board soak soak-noise lint bench clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

# pip runs again when the dependencies may have changed; the environment itself is made once.
$(READY): pyproject.toml scripts/bootstrap.sh
	@PYTHON="$(PYTHON)" scripts/bootstrap.sh $(VENV)
	@touch $@

demo: $(READY) ## Profile, search and deploy on this computer (DEVICE=serial: on that device): two minutes
	@DEVICE="$(DEVICE)" EPISODES="$(EPISODES)" scripts/demo.sh

android: $(READY) ## The Android agent into android_app/dist, by apt and Maven (RUNTIME=FILE.aar: for another TensorFlow Lite)
	@$(BIN)/python scripts/build_android.py $(if $(RUNTIME),--runtime "$(RUNTIME)") $(ARGS)

test: $(READY) ## All tests but those on an emulated board; device lab and Android agent are built where root and apt allow
	@$(BIN)/python scripts/build_android.py || echo "without the Android agent: its tests are skipped"
	$(BIN)/python -m pytest -m "not board" -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-board: $(READY) ## The tests on the lab's qemu machines (aarch64, USB)
	$(BIN)/python -m pytest -m board $(ARGS)

soak: $(READY) ## What needs the machine for itself; what opens an agent, 50 times beside a busy core; writes docs/soak.md
	$(BIN)/python scripts/soak.py $(ARGS)

soak-noise: $(READY) ## Two hours: sessions in three groups, and how often their intervals held; table to docs/benchmarks.md
	$(BIN)/python benchmarks/noise/record.py $(ARGS)
	$(BIN)/python benchmarks/bench_noise.py
	$(BIN)/python benchmarks/run_all.py --table-only

lint: $(READY) ## ruff, mypy, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(READY) ## Every benchmark: JSON to benchmarks/results/, table to docs/benchmarks.md
	$(BIN)/python benchmarks/run_all.py $(ARGS)

clean: ## Removes the environment and caches; keeps runs/ and the profile library
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
