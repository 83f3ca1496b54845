# The front door: `make help`. How things are compiled and linked is in tools/make/.
#
#   BUILD=dir           build into another folder than build/
#   DECKS_EXTRA=dir     add the deck in that folder, or the decks in its folders
#   PEER=dir            the yardstick of another system, for `make bench`
#   PROGRAMS_EXTRA=dir  add the programs in its folders
#   SECONDS=n           how long `make fuzz` and `make fuzz-network` go on
#   V=1                 show the commands

BUILD ?= build
DECKS_EXTRA ?=
PEER ?=
PROGRAMS_EXTRA ?=
SECONDS ?= 600
T ?=

Q := $(if $(V),,@)
# One goal after the other here, all cores below; a make below another takes its jobs from that one.
MAKEFLAGS += --no-print-directory $(if $(filter 0,$(MAKELEVEL)),-j$(shell nproc))
.NOTPARALLEL:
PYTHON := .venv/bin/python
KWE := .venv/bin/kwe
IMAGE_MAKE = $(MAKE) -f tools/make/image.mk BUILD=$(BUILD) PROGRAMS_EXTRA=$(PROGRAMS_EXTRA)
PYTEST = KWE_BUILD=$(BUILD) .venv/bin/pytest -q
# Suites that exist; `make test` is all of them in one run, with one closing line.
SUITES = $(wildcard tests/host tests/codegen tests/tools tests/qemu)

.DEFAULT_GOAL := image
.DELETE_ON_ERROR:
.PHONY: bench check clean debug fmt fuzz fuzz-network gen gen-accept help image lint lock run serve setup stats test test-host test-long test-qemu

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# ---- set-up: Debian packages, .venv, the demos' inputs -----------------------------------------

DEMO_INPUTS := build/clip.stamp build/recordings.stamp
SETUP := tools/setup/setup.py tools/setup/packages.yaml tools/setup/requirements.txt pyproject.toml \
	$(wildcard kernel/decks/*/*/patches kernel/decks/*/*/patches/*.patch)

setup: .venv/setup.stamp $(DEMO_INPUTS) ## Bring all that the build takes (the other targets do it by themselves)

.venv/setup.stamp: $(SETUP)
	$(Q)$(if $(V),V=1) python3 tools/setup/setup.py debian python sources
	@touch $@

build/clip.stamp: tools/setup/packages.yaml | .venv/setup.stamp
	$(Q)$(if $(V),V=1) python3 tools/setup/setup.py clip
	@touch $@

build/recordings.stamp: tools/setup/packages.yaml tools/setup/recordings.py | .venv/setup.stamp
	$(Q)$(if $(V),V=1) python3 tools/setup/setup.py recordings
	@touch $@

lock: .venv/setup.stamp ## Renew tools/setup/requirements.txt from packages.yaml
	$(Q)$(PYTHON) -m tools.setup.lock

# ---- generated code ----------------------------------------------------------------------------

# Also what a folder itself says: a file that has gone counts as a change.
GEN_SOURCES = $(shell find codegen kernel/decks kernel/abi $(DECKS_EXTRA) \
	-name __pycache__ -prune -o \( -type d -o -name '*.py' -o -name '*.j2' -o -name '*.yaml' \) -print)

gen: $(BUILD)/gen.stamp ## Generate code from the deck.yaml files into build/gen/

# Written only when it changes, so that another DECKS_EXTRA generates anew.
$(BUILD)/gen.args: FORCE
	@mkdir -p $(@D)
	@echo '$(DECKS_EXTRA)' | cmp -s - $@ || echo '$(DECKS_EXTRA)' > $@

$(BUILD)/gen.stamp: .venv/setup.stamp $(BUILD)/gen.args $(GEN_SOURCES)
	$(Q)$(PYTHON) -m codegen --decks kernel/decks $(addprefix --extra ,$(DECKS_EXTRA)) --out $(BUILD)/gen
	@touch $@

.PHONY: FORCE
FORCE:

gen-accept: gen ## Take the generated code as the new golden copies of tests/codegen
	$(Q)$(PYTEST) tests/codegen --accept

# ---- the image -----------------------------------------------------------------------------------

image: gen ## Build the kernel, the decks and the programs (the default)
	+$(Q)$(IMAGE_MAKE) all

run: image $(DEMO_INPUTS) ## Boot the system and run the demo workflows on real files
	$(Q)$(KWE) demo --build $(BUILD)

serve: image build/clip.stamp ## A web server and a video stream until Ctrl-C: http://127.0.0.1:PORT/, PORT=8080 unless said
	$(Q)$(KWE) run --build $(BUILD) userland/workflows/web.yaml userland/workflows/stream.yaml \
		--input site=userland/workflows/web --input clip=build/clip --forward $(or $(PORT),8080):80

debug: image ## Boot under gdb, stopped at the first instruction
	$(Q)$(KWE) debug --build $(BUILD)

bench: image build/clip.stamp ## Measure, and print the figures; PEER=dir compares with another system
	$(Q)$(KWE) bench --build $(BUILD) $(if $(PEER),--peer '$(PEER)')

stats: gen ## Count lines by room, and the image's parts
	$(Q)$(KWE) stats --build $(BUILD)

# ---- tests and style -----------------------------------------------------------------------------

include tools/make/test_images.mk

test: image test-image $(DEMO_INPUTS) ## Run all tests
	$(Q)$(PYTEST) $(SUITES)

test-host: gen ## Run the tests that need no QEMU
	$(Q)$(PYTEST) $(filter-out tests/qemu,$(SUITES))

test-qemu: image test-image $(DEMO_INPUTS) ## Run the tests that boot the image; T=name picks by name
	$(Q)$(PYTEST) tests/qemu $(if $(T),-k '$(T)')

fuzz: gen ## Fuzz workflows through the checker, the plan and the Guide, for SECONDS=n
	$(Q)$(MAKE) -s -f tools/make/host.mk BUILD=$(BUILD) $(BUILD)/host/workflow/fuzz_workflow
	$(Q)$(PYTHON) -m tests.host.workflow.fuzz_corpus $(BUILD)/fuzz/workflow
	$(Q)$(BUILD)/host/workflow/fuzz_workflow -max_total_time=$(SECONDS) \
		-artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/workflow

fuzz-network: gen ## Fuzz the Network deck and lwIP with frames, for SECONDS=n
	$(Q)$(MAKE) -s -f tools/make/host.mk BUILD=$(BUILD) $(BUILD)/host/network/fuzz_network
	$(Q)$(PYTHON) -m tests.host.network.fuzz_network_corpus $(BUILD)/fuzz/network
	$(Q)$(BUILD)/host/network/fuzz_network -max_total_time=$(SECONDS) -timeout=20 \
		-artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/network

test-long: image test-image ## Send the Network deck 100,000 mutated frames, 10,000 connections, 2 x 64 MiB both ways
	$(Q)KWE_MUTATED_FRAMES=100000 KWE_CONNECTIONS=10000 KWE_BULK_MIB=64 $(PYTEST) \
		tests/qemu/test_wire.py tests/qemu/test_tap.py -k 'mutated or bulk or closes' --timeout 900

fmt: .venv/setup.stamp ## Lay C and Python out as everybody does
	$(Q)$(PYTHON) -m tools.lint fmt

lint: gen ## Check style, types, headers, include directions, size of the nucleus
	$(Q)$(PYTHON) -m tools.lint check --build $(BUILD)

check: lint test ## lint and test

clean: ## Remove build/ (.venv stays)
	$(Q)rm -rf $(BUILD)
