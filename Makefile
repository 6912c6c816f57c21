# Two commands do everything on a fresh machine with Python 3.11+: `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# One more than there are cores: many tests wait for a child.
MANY   ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
STAMP  := $(VENV)/.ready
STACK  := PYTHONPATH=tests $(BIN)/python -m interop.stack
# What pip-warden with every extra needs, and the trust file with its pins; no other command looks for one there.
LOCKED ?= locked
# Pages and files come from where pip takes them on this machine; that is the machine's matter, and no file names it.
INDEX  := index="$$(PYTHONPATH=tests $(BIN)/python -m interop.pip_index)"
TRUST  := $(INDEX) && PIP_WARDEN_MIRROR_PYPI="$$index" $(BIN)/pip-warden trust
PINNED := -r $(LOCKED)/requirements.txt --trust $(LOCKED)/pytrust.toml --hash-only --yes

.DEFAULT_GOAL := help
# More for pytest: make test ARGS='-k foo -x'
ARGS   ?=
.PHONY: help setup demo test test-all test-newest mutants check fix lock trust-sync trust-update interop bench bench-quick clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(STAMP) ## make .venv with pip-warden, its extras and the tools; once, and after pyproject.toml changed
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; make PYTHON=/path/to/it")'
	@echo "setup 1/3: a virtual environment in $(VENV), of $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@echo "setup 2/3: the pip that pip-warden runs"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=26.3,<27'
	@echo "setup 3/3: pip-warden with every extra, and the tools (a minute or two)"
	@$(BIN)/python -m pip install --quiet --editable '.[all]' --group dev
	@touch $@

demo: setup ## the main job on the embedded GitLab and Sigstore: publish, pin, install, and four attacks refused
	$(BIN)/pip-warden demo

# Images of Python forbid bytecode: every worker would compile every test in every run, and every child all that it imports.
test: setup ## every test that needs no foreign toolchain, and one of those that are alike (under five minutes on two cores); ARGS='-k foo -x' is passed on to pytest
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n $(MANY) --dist worksteal -m 'not interop' $(ARGS)

test-all: setup ## the same on every supported Python of this machine: pyenv's, and each python3.N on PATH
	$(BIN)/python scripts/test_all.py

test-newest: setup ## the same on the newest of them, if it is not the default one
	$(BIN)/python scripts/test_all.py --newest

mutants: setup ## take each security check of tests/mutants.toml out: its tests must notice (about eight minutes)
	$(BIN)/python scripts/mutants.py

check: setup ## lint, format, types, import contract, docs
	$(BIN)/ruff format --check src tests scripts examples
	$(BIN)/ruff check src tests scripts examples
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/docs.py --check

fix: setup ## format, apply safe fixes, write the generated docs
	$(BIN)/ruff format src tests scripts examples
	$(BIN)/ruff check --fix src tests scripts examples
	$(BIN)/python scripts/docs.py

# For all platforms and every Python from the oldest one on. What is locked stays as it is, where it may.
lock: setup ## lock what pip-warden with every extra needs, and move the pins; ARGS=--upgrade takes newer releases
	@$(INDEX) && UV_DEFAULT_INDEX="$${index:-https://pypi.org/simple}" UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet \
	  --universal --python-version 3.11 --generate-hashes --all-extras pyproject.toml -o $(LOCKED)/requirements.txt $(ARGS)
	@$(INDEX) && UV_DEFAULT_INDEX="$${index:-https://pypi.org/simple}" UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet \
	  --universal --python-version 3.11 --generate-hashes -c $(LOCKED)/requirements.txt $(LOCKED)/build.in -o $(LOCKED)/build.txt $(ARGS)
	@$(MAKE) --no-print-directory trust-sync trust-update

trust-sync: setup ## pin what the lock names and locked/pytrust.toml has not
	@$(TRUST) sync $(PINNED) --source https://pypi.org/simple --reason 'locked; who signs it is not pinned yet'

trust-update: setup ## move the pins of locked/pytrust.toml to the releases that the lock names; drop what it does not name
	@$(TRUST) update $(PINNED)

# One shell, so that whatever was started is ended, whatever happens between. To wait for the stack is no part of a test's time. KEEP=1 runs on the keys and logs that an earlier run left.
interop: setup ## foreign programs against a real Sigstore (GitLab: the sandbox's), and real archives (needs Go, npm; root for apt; kept in .cache)
	$(STACK) install
	PYTHONPATH=tests $(BIN)/python -m interop.corpus
	$(if $(KEEP),,$(STACK) down --forget >/dev/null)
	trap '$(STACK) down' EXIT; $(STACK) up && INTEROP=1 $(BIN)/python -m pytest -q -n auto --dist loadgroup -o timeout=900 -o timeout_func_only=true -m interop \
	  && cat $${INTEROP_CACHE:-.cache}/stack/matrix.md $${INTEROP_CACHE:-.cache}/stack/images.md

bench: setup ## measure beside pip, uv and others, and write docs/performance.md; what reading costs against what there is to read
	$(BIN)/python scripts/bench --write
	$(BIN)/python scripts/bench_readers.py

bench-quick: setup ## the base case and its next neighbours (under five minutes); writes nothing
	$(BIN)/python scripts/bench --quick

clean: ## remove everything that was made
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
