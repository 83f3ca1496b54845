# The image: build/kwe.elf (ring 0), build/decks/, build/programs/, and build/payload.kpak that carries the last two.
# Called by the Makefile once build/gen/ is up to date. Files are found by folder: a new one needs no change here.

include tools/make/flags.mk
# Generated: DECKS, and for each DECK_NAME_DIR, DECK_NAME_DRIVERS, DECK_NAME_LIBRARIES.
-include $(BUILD)/gen/build.mk

PYTHON := .venv/bin/python
OBJ := $(BUILD)/obj

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all
all: $(BUILD)/kwe.elf $(BUILD)/payload.kpak

# C and assembly files below folders, and the generated ones that mirror them.
sources = $(sort $(foreach dir,$(1),$(wildcard $(dir)/*.c $(dir)/*.S)))
generated = $(sort $(foreach dir,$(1),$(wildcard $(BUILD)/gen/$(dir)/*.c)))
# $(call objects,flavour,sources): a generated file's object lies under gen/.
objects = $(patsubst %,$(OBJ)/$(1)/%.o,$(basename $(patsubst $(BUILD)/gen/%,gen/%,$(2))))

# ---- ring 0 --------------------------------------------------------------------------------------

NUCLEUS_DIRS := $(shell find kernel/nucleus -type d)
NUCLEUS_GEN_DIRS := $(sort $(NUCLEUS_DIRS) kernel/arch/x86_64 kernel/lib $(patsubst $(BUILD)/gen/%,%,$(shell \
	find $(BUILD)/gen/kernel/nucleus -type d 2>/dev/null)))
NUCLEUS_SOURCES := $(call sources,$(NUCLEUS_DIRS) kernel/arch/x86_64 boot kernel/lib) $(call generated,$(NUCLEUS_GEN_DIRS))
NUCLEUS_OBJECTS := $(call objects,nucleus,$(NUCLEUS_SOURCES))

$(OBJ)/nucleus/gen/%.o: $(BUILD)/gen/%.c tools/make/flags.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(NUCLEUS_CFLAGS) -c $< -o $@
$(OBJ)/nucleus/%.o: %.c tools/make/flags.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(NUCLEUS_CFLAGS) -c $< -o $@
$(OBJ)/nucleus/%.o: %.S tools/make/flags.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(NUCLEUS_CFLAGS) -c $< -o $@

# The compiler makes up calls of these by itself, at a time when link-time optimisation has dropped what nobody calls.
$(OBJ)/nucleus/kernel/lib/string.o $(OBJ)/nucleus/kernel/arch/x86_64/stack_guard.o: NUCLEUS_CFLAGS += -fno-lto

$(BUILD)/kwe.elf: $(NUCLEUS_OBJECTS) boot/kwe.ld
	$(call say,LD,$@)
	$(Q)$(CC) $(NUCLEUS_CFLAGS) -nostdlib -static -no-pie -Wl,-T,boot/kwe.ld -Wl,--build-id=none -Wl,-z,noexecstack \
		-Wl,-z,max-page-size=4096 -o $@ $(NUCLEUS_OBJECTS) -lgcc

# ---- libraries of ring 3 ---------------------------------------------------------------------------

# Debian's static archives under musl: only the headers that are wanted are linked into a folder of our own, since the folder they come from
# holds another C library's headers as well. A library not named here has one header of its own name.
HEADERS_lz4 := lz4.h lz4frame.h lz4hc.h
HEADERS_sodium := sodium.h sodium
HEADERS_turbojpeg := turbojpeg.h
HEADERS_zstd := zdict.h zstd.h zstd_errors.h

PROGRAM_DIRS := $(patsubst %/,%,$(sort $(dir $(wildcard userland/programs/*/*.c $(addsuffix /*/*.c,$(PROGRAMS_EXTRA))))))
PROGRAMS := $(notdir $(PROGRAM_DIRS))
# A program that links one of them names it in a file `libraries` in its folder.
program_libraries = $(if $(wildcard $(1)/libraries),$(file < $(1)/libraries))

LIBRARIES := $(sort $(foreach deck,$(DECKS),$(DECK_$(deck)_LIBRARIES)) $(foreach dir,$(PROGRAM_DIRS),$(call program_libraries,$(dir))))
# Those of BUILT are compiled here, from sources that set-up brought; Debian's archives are found by the compiler.
BUILT := llhttp lwip
archive = $(if $(filter $(1),$(BUILT)),$(BUILD)/lib/lib$(1).a,$(shell $(CC) -print-file-name=lib$(1).a))

$(BUILD)/include/%.stamp: tools/make/image.mk
	@mkdir -p $(@D)
	$(Q)for header in $(or $(HEADERS_$*),$*.h); do \
		ln -sfn /usr/include/$$header $(BUILD)/include/$$header && test -e $(BUILD)/include/$$header || exit 1; done
	@touch $@

# A built library's headers, and what it is configured by, are linked in from where they lie.
LINKS_llhttp := $(SOURCES)/llhttp/lib/llhttp.h
LINKS_lwip := $(SOURCES)/lwip/src/include/lwip $(SOURCES)/lwip/src/include/netif \
	kernel/decks/network/lwip/lwipopts.h kernel/decks/network/lwip/arch
# What such a library is configured by: system headers, so no compiler tells of them.
CONFIG_lwip := $(wildcard kernel/decks/network/lwip/*.h kernel/decks/network/lwip/arch/*.h)
$(BUILD)/include/lwip.stamp: $(CONFIG_lwip)
$(BUILT:%=$(BUILD)/include/%.stamp): $(BUILD)/include/%.stamp: tools/make/image.mk .venv/setup.stamp
	@mkdir -p $(@D)
	$(Q)for path in $(LINKS_$*); do ln -sfn $(CURDIR)/$$path $(BUILD)/include/$${path##*/} && test -e $$path || exit 1; done
	@touch $@

INCLUDES := $(foreach library,$(LIBRARIES),$(BUILD)/include/$(library).stamp)

# ---- libraries compiled here ------------------------------------------------------------------------

# Others' code: their warnings are not ours to mend.
BUILT_CFLAGS = $(filter-out $(WARNINGS),$(RING3_CFLAGS)) -w

LIB_llhttp_SOURCES := $(wildcard $(SOURCES)/llhttp/lib/*.c)
LIB_lwip_SOURCES := $(wildcard $(addprefix $(SOURCES)/lwip/src/,core/*.c core/ipv4/*.c core/ipv6/*.c netif/ethernet.c))

# $(call built_rules,name)
define built_rules
LIB_$(1)_OBJECTS := $$(LIB_$(1)_SOURCES:$(SOURCES)/%.c=$(OBJ)/built/%.o)
DEPENDENCIES += $$(LIB_$(1)_OBJECTS:.o=.d)
$$(LIB_$(1)_OBJECTS): $(OBJ)/built/%.o: $(SOURCES)/%.c tools/make/flags.mk $(BUILD)/include/$(1).stamp
	@mkdir -p $$(@D)
	$$(Q)$$(MUSL_CC) $$(BUILT_CFLAGS) -c $$< -o $$@
$(BUILD)/lib/lib$(1).a: $$(LIB_$(1)_OBJECTS)
	@mkdir -p $$(@D)
	$(call say,AR,$(BUILD)/lib/lib$(1).a)
	$$(Q)rm -f $$@ && ar rcsD $$@ $$^
endef
$(foreach library,$(BUILT),$(eval $(call built_rules,$(library))))

# ---- ring 3 --------------------------------------------------------------------------------------

$(OBJ)/ring3/gen/%.o: $(BUILD)/gen/%.c tools/make/flags.mk | $(INCLUDES)
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(RING3_CFLAGS) -c $< -o $@
$(OBJ)/ring3/%.o: %.c tools/make/flags.mk | $(INCLUDES)
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(RING3_CFLAGS) -c $< -o $@
$(OBJ)/ring3/%.o: %.S tools/make/flags.mk | $(INCLUDES)
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(RING3_CFLAGS) -c $< -o $@

# musl-gcc's own specs know no static-pie, so its start files are named one by one. Order: start, objects, archives, C library, end.
# Segments are W^X and page-aligned each; no executable stack; no relocation in text (they would make it writable).
MUSL := /usr/lib/x86_64-linux-musl
LINK_START := $(MUSL)/rcrt1.o $(MUSL)/crti.o $(shell $(CC) -print-file-name=crtbeginS.o)
LINK_END := -Wl,--start-group $(MUSL)/libc.a -lgcc -lgcc_eh -Wl,--end-group $(shell $(CC) -print-file-name=crtendS.o) $(MUSL)/crtn.o
LINK_FLAGS := -nostdlib -nostartfiles -static-pie -Wl,--no-dynamic-linker -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,-z,text \
	-Wl,--build-id=none -Wl,--gc-sections

# SHA256=FILE.c: its sha256_c() computes in place of libsodium's, so that another system's figures are of the same computing (`kwe bench --peer`).
SHA256 ?=
ifneq ($(SHA256),)
SHA256_OBJECTS := $(OBJ)/sha256/file.o $(OBJ)/sha256/instead.o
LINK_FLAGS += -Wl,--wrap=crypto_hash_sha256 $(SHA256_OBJECTS)

$(OBJ)/sha256/file.o: $(SHA256)
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) -O2 -fPIE -c $< -o $@
$(OBJ)/sha256/instead.o: tools/bench/sha256_instead.c tools/make/flags.mk
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(RING3_CFLAGS) -c $< -o $@
endif

# $(call link_ring3,objects,archives)
define link_ring3
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $(LINK_START) $(1) $(2) $(LINK_END)
endef

COMMON_OBJECTS := $(call objects,ring3,$(call sources,kernel/lib userland/libkwe/common) $(call generated,kernel/lib userland/libkwe/common))
SHIM_OBJECTS := $(call objects,ring3,$(call sources,userland/shim))
DECK_LIBRARY_OBJECTS := $(call objects,ring3,$(call sources,userland/libkwe/deck) $(call generated,userland/libkwe/deck))
PROGRAM_LIBRARY_OBJECTS := $(call objects,ring3,$(call sources,userland/libkwe userland/libkwe/program) \
	$(call generated,userland/libkwe userland/libkwe/program))

# ---- decks ---------------------------------------------------------------------------------------

# A deck's own folder may lie outside the tree, so its objects are named by the deck.
define deck_rules
DECK_$(1)_OWN := $$(patsubst $$(DECK_$(1)_DIR)/%,$(OBJ)/decks/$(1)/%.o,$$(basename $$(call sources,$$(DECK_$(1)_DIR))))
DECK_$(1)_OBJECTS := $$(DECK_$(1)_OWN) \
	$$(call objects,ring3,$$(call generated,kernel/decks/$(1)) $$(call sources,$$(addprefix drivers/,$$(DECK_$(1)_DRIVERS)))) \
	$$(DECK_LIBRARY_OBJECTS) $$(COMMON_OBJECTS) $$(SHIM_OBJECTS)
DEPENDENCIES += $$(DECK_$(1)_OBJECTS:.o=.d)

$(OBJ)/decks/$(1)/%.o: $$(DECK_$(1)_DIR)/%.c tools/make/flags.mk | $(INCLUDES)
	@mkdir -p $$(@D)
	$$(Q)$$(MUSL_CC) $$(RING3_CFLAGS) -c $$< -o $$@

$$(DECK_$(1)_OWN): $$(patsubst %,$(BUILD)/include/%.stamp,$$(filter $$(BUILT),$$(DECK_$(1)_LIBRARIES)))

$(BUILD)/decks/$(1).elf: $$(DECK_$(1)_OBJECTS) $$(SHA256_OBJECTS) $$(patsubst %,$(BUILD)/lib/lib%.a,$$(filter $$(BUILT),$$(DECK_$(1)_LIBRARIES))) \
		tools/make/image.mk
	$$(call link_ring3,$$(DECK_$(1)_OBJECTS),$$(foreach library,$$(DECK_$(1)_LIBRARIES),$$(call archive,$$(library))))
endef

$(foreach deck,$(DECKS),$(eval $(call deck_rules,$(deck))))

# ---- programs: the tree's, and those in the folders of PROGRAMS_EXTRA -------------------------------

define program_rules
PROGRAM_$(notdir $(1))_OBJECTS := $$(call objects,ring3,$$(call sources,$(1))) $$(PROGRAM_LIBRARY_OBJECTS) $$(COMMON_OBJECTS) \
	$$(if $$(call program_libraries,$(1)),$$(SHIM_OBJECTS))
DEPENDENCIES += $$(PROGRAM_$(notdir $(1))_OBJECTS:.o=.d)

$(BUILD)/programs/$(notdir $(1)).elf: $$(PROGRAM_$(notdir $(1))_OBJECTS) $$(SHA256_OBJECTS) tools/make/image.mk
	$$(call link_ring3,$$(PROGRAM_$(notdir $(1))_OBJECTS),$$(foreach library,$$(call program_libraries,$(1)),$$(call archive,$$(library))))
endef

$(foreach dir,$(PROGRAM_DIRS),$(eval $(call program_rules,$(dir))))

# ---- the payload: what the nucleus finds as its initial module ---------------------------------------

PARTS := $(foreach deck,$(DECKS),deck/$(deck)=$(BUILD)/decks/$(deck).elf) \
	$(foreach program,$(PROGRAMS),program/$(program)=$(BUILD)/programs/$(program).elf)
PART_FILES := $(foreach part,$(PARTS),$(lastword $(subst =, ,$(part))))

# Written only when it changes: a deck that is gone leaves the payload too.
$(BUILD)/payload.parts: FORCE
	@mkdir -p $(@D)
	@echo '$(PARTS)' | cmp -s - $@ || echo '$(PARTS)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/payload.kpak: $(PART_FILES) $(BUILD)/payload.parts tools/kwe/kpak.py
	$(call say,PACK,$@)
	$(Q)$(PYTHON) -m tools.kwe.kpak pack $@ $(PARTS)

-include $(sort $(NUCLEUS_OBJECTS:.o=.d) $(DEPENDENCIES))
