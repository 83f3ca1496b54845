# The image that tests/qemu boots beside the tree's own: $(BUILD)/test holds the tree's parts, and with them
#   tests/qemu/programs/NAME/*.c   a program each, linked with libkwe as those of userland/programs are
#   tests/qemu/decks/NAME/         a deck each: deck.yaml and its sources
# It is a build folder like any other (`kwe boot --build build/test NAME`). Included by the Makefile.

TEST_BUILD := $(BUILD)/test

.PHONY: test-image
test-image: gen
	+$(Q)$(MAKE) image BUILD=$(TEST_BUILD) PROGRAMS_EXTRA=tests/qemu/programs \
		DECKS_EXTRA='$(patsubst %/deck.yaml,%,$(sort $(wildcard tests/qemu/decks/*/deck.yaml)))'
