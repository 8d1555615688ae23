# The verbs of the project.  PORT=… gives another port; see `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
export PORT

# Nothing configured: a demo.
configured := $(TWILIO_ACCOUNT_SID)$(DEMO)$(shell grep -shE '^(TWILIO_ACCOUNT_SID|DEMO)=.' .env)
ifeq ($(strip $(configured)),)
run sync doctor: export DEMO := 1
endif

help: ## Show the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# Reinstalled when what is pinned changes; a stamp says what was installed.
$(VENV)/.run: requirements.txt constraints.txt
	@test -x $(PY) || { echo "Creating the virtual environment …"; $(PYTHON) -m venv $(VENV); }
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	@echo "Installing what runs (once) …"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "Installing what checks (once) …"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: $(VENV)/.run ## Serve the app on http://localhost:8501 (the demo, or real data with credentials)
	@exec $(PY) run.py

sync: $(VENV)/.run ## Read new usage from Twilio (in a demo: from the demo's API)
	@exec $(PY) -m data sync

# A value that only looks like a secret says `# pragma: allowlist secret`; this SID is the docs' own.
check: $(VENV)/.dev ## Format, lint, types; unsafe code, secrets, known vulnerabilities
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m bandit -q -r -c pyproject.toml data dashboard run.py streamlit_app.py 2> >(grep -v 'no failed test' >&2)
	set -o pipefail; git ls-files -z --cached --others --exclude-standard --deduplicate \
		| xargs -0 -n 200 -P 2 $(VENV)/bin/detect-secrets-hook --no-verify --exclude-secrets '^AC0123456789abcdef'
	$(PY) -m tests.known_vulnerabilities

test: $(VENV)/.dev ## Install what tests need, check, run every test
	@bash tests/install.sh
	@$(MAKE) --no-print-directory check
	$(PY) -m pytest -n 2

soak: $(VENV)/.dev ## The long runs: forty times the examples; the sync under faults and kills; 50 sessions at once; every page in every dress
	HYPOTHESIS_PROFILE=soak $(PY) -m pytest tests/data tests/attack -n 2
	SOAK=1 $(PY) -m pytest tests/data/twilio/test_sync_under_faults.py -n 2
	SOAK=1 $(PY) -m pytest tests/attack/test_concurrent_sessions.py
	SOAK=1 $(PY) -m pytest tests/browser/test_walk.py

mutants: $(VENV)/.dev ## Change the price engine in small ways: do its tests notice? FILE=volume: one file
	-HYPOTHESIS_PROFILE=mutants $(PY) -m mutmut run $(if $(FILE),'data.pricing.$(FILE).*')
	$(PY) -m mutmut results
	$(PY) -m mutmut export-cicd-stats >/dev/null && cat mutants/mutmut-cicd-stats.json

bench: $(VENV)/.dev ## Measure speed, beside a reference in the same run
	$(PY) -m tests.bench

screenshots: $(VENV)/.dev ## Photograph every page into var/screenshots; the README's go to docs
	@bash tests/install.sh
	$(PY) -m tests.browser.screenshots var/screenshots
	$(PY) -m tests.browser.screenshots docs/screenshots --tour

words: $(VENV)/.run ## Collect all texts into the catalogues of dashboard/translations, to be translated
	$(PY) -m dashboard.catalogue

doctor: $(VENV)/.run ## Say what is configured, reachable, fresh or wrong
	@exec $(PY) -m data doctor

clean: ## Remove the virtual environment and the demo's database
	rm -rf $(VENV) var mutants

.PHONY: help run sync check test soak mutants bench screenshots words doctor clean
