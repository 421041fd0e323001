# Everything starts here: make help
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv/bin
SETUP := $(PYTHON) portal/launch/setup.py
UV_COMPILE := $(VENV)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11
CHECKED := DJANGO_SETTINGS_MODULE=tests.check_settings $(VENV)/python -W ignore::RuntimeWarning manage.py
PYTEST ?= $(VENV)/python -m pytest -n 2 --dist loadgroup

# Where Python may not keep what it has compiled, each of the many processes of a run compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check types layers style migrations templates texts setup assets format translations messages lock clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: ## Set up what is missing and run the whole product at PORT (8000), with its state in VAR (var/)
	@$(SETUP) && exec $(VENV)/python -m portal.launch

test: setup translations ## Set up what is missing and run all tests, the browser's too (ARGS="tests/rooms -x" for some)
	@$(PYTEST) $(ARGS)

check: setup translations ## Format, lint, types, layers, missing migrations, templates and translations
	@$(MAKE) --jobs=2 --output-sync --no-print-directory types layers style migrations templates texts

types: # the longest comes first
	$(VENV)/mypy

layers:
	$(VENV)/lint-imports

style:
	$(VENV)/ruff format --check --quiet .
	$(VENV)/ruff check --quiet .

migrations:
	@$(CHECKED) makemigrations --check --dry-run

templates:
	@$(CHECKED) check_templates

texts:
	@$(CHECKED) check_translations

setup: ## Install what the tests and checks need
	@$(SETUP) --tests

assets: ## Collect styles, scripts and icons again
	@PATH="$$PWD/.venv/node/bin:$$PATH" npm run --silent assets

format: ## Bring the code into form
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .

translations: ## Compile locale/*/LC_MESSAGES/*.po
	@$(CHECKED) compile_translations

messages: ## Add new texts of the code and the templates to locale/ for translation
	@$(CHECKED) check_translations --add

lock: ## Pin the newest versions that requirements*.in allow
	$(UV_COMPILE) --upgrade requirements.in -o requirements.txt
	$(UV_COMPILE) --upgrade requirements-dev.in -o requirements-dev.txt
	$(UV_COMPILE) --upgrade requirements-node.in -o requirements-node.txt

clean: ## Remove all that was installed or made, the demo's data too
	rm -rf .venv node_modules portal/static/vendor var .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find apps portal tests benchmarks locale -name __pycache__ -prune -exec rm -rf {} + -o -name '*.mo' -exec rm -f {} +
