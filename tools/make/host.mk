# The host tests: each tests/host/**/test_NAME.c is a program of its own, build/host/<path>/test_NAME. So is host_NAME.c, which is not a
# test by itself: a test_*.py beside it drives it.
#
# A program names what it is linked with, in its first lines, by paths from the root (generated files by the path that they mirror):
#     // uses: kernel/lib/ring.c kernel/nucleus/workflow/*.c
#     // libs: lz4
# fuzz_NAME.c is a fuzzer, build/host/<path>/fuzz_NAME, by clang's libFuzzer (`make fuzz`).
# Built with AddressSanitizer and UBSan; test_NAME_tsan.c with ThreadSanitizer. Called by tests/host/test_c_units.py.

include tools/make/flags.mk

.DELETE_ON_ERROR:
.SECONDARY:

TESTS := $(sort $(shell find tests/host -name 'test_*.c' -o -name 'host_*.c'))
FUZZERS := $(sort $(shell find tests/host -name 'fuzz_*.c'))
PROGRAMS := $(TESTS:tests/host/%.c=$(BUILD)/host/%)
OBJ := $(BUILD)/obj

.PHONY: all list
all: $(PROGRAMS)
list:
	@printf '%s\n' $(PROGRAMS)

ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
# It does not follow fences; in the ring they only order a flag, never data.
TSAN_FLAGS := -fsanitize=thread -Wno-tsan

# $(call note,word,file): what the file's first lines say behind `word:`.
note = $(shell sed -n '1,40s|^[ /*]*$(1): *\(.*\)$$|\1|p' $(2) | sed 's|\*/ *$$||')
# A file of the tree, or the generated one of that path; a wrong name stays as it is, so that make says that it is missing.
locate = $(foreach path,$(1),$(or $(wildcard $(path)),$(wildcard $(BUILD)/gen/$(path)),$(path)))
objects = $(patsubst %,$(OBJ)/$(1)/%.o,$(basename $(patsubst $(BUILD)/gen/%,gen/%,$(2))))

# $(call flavour_rules,flavour,flags)
define flavour_rules
# Others' code: their warnings are not ours to mend.
$(OBJ)/$(1)/$(SOURCES)/%.o: $(SOURCES)/%.c tools/make/flags.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $(filter-out $(WARNINGS),$(HOST_CFLAGS)) $(2) -w -c $$< -o $$@
$(OBJ)/$(1)/gen/%.o: $(BUILD)/gen/%.c tools/make/flags.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HOST_CFLAGS) $(2) -c $$< -o $$@
$(OBJ)/$(1)/%.o: %.c tools/make/flags.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HOST_CFLAGS) $(2) -c $$< -o $$@
$(OBJ)/$(1)/%.o: %.S tools/make/flags.mk
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(HOST_CFLAGS) -c $$< -o $$@
endef
$(eval $(call flavour_rules,asan,$(ASAN_FLAGS)))
$(eval $(call flavour_rules,tsan,$(TSAN_FLAGS)))

# $(call test_rules,source,flavour,flags)
define test_rules
OBJECTS_$(1) := $$(call objects,$(2),$(1) $$(call locate,$$(call note,uses,$(1))))
DEPENDENCIES += $$(OBJECTS_$(1):.o=.d)
$(1:tests/host/%.c=$(BUILD)/host/%): $$(OBJECTS_$(1)) $(1)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(3) -o $$@ $$(OBJECTS_$(1)) $$(addprefix -l,$$(call note,libs,$(1))) -lpthread
endef
$(foreach test,$(filter-out %_tsan.c,$(TESTS)),$(eval $(call test_rules,$(test),asan,$(ASAN_FLAGS))))
$(foreach test,$(filter %_tsan.c,$(TESTS)),$(eval $(call test_rules,$(test),tsan,$(TSAN_FLAGS))))


# ---- fuzzers: only when asked for ----------------------------------------------------------------------------------

FUZZ_CC := clang-14
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
$(eval $(call flavour_rules,fuzz,$(FUZZ_FLAGS)))
$(OBJ)/fuzz/%.o: CC := $(FUZZ_CC)

# $(call fuzz_rules,source)
define fuzz_rules
OBJECTS_$(1) := $$(call objects,fuzz,$(1) $$(call locate,$$(call note,uses,$(1))))
DEPENDENCIES += $$(OBJECTS_$(1):.o=.d)
$(1:tests/host/%.c=$(BUILD)/host/%): $$(OBJECTS_$(1)) $(1)
	@mkdir -p $$(@D)
	$$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $$@ $$(OBJECTS_$(1))
endef
$(foreach fuzzer,$(FUZZERS),$(eval $(call fuzz_rules,$(fuzzer))))

-include $(sort $(DEPENDENCIES))
