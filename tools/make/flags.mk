# The three compilers: ring 0, ring 3, host tests. Shared by image.mk and host.mk.

BUILD ?= build
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' '$(1)' '$(2)')

CC := gcc
MUSL_CC := musl-gcc

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
# A tree, one folder for generated files that mirrors it, and no path of this machine in what is built.
COMMON_CFLAGS := -std=gnu11 $(WARNINGS) -g -MMD -MP -I. -I$(BUILD)/gen -ffile-prefix-map=$(CURDIR)=.

# Optimised as one program: a path through the nucleus crosses many small files, and calls are dear under TCG.
NUCLEUS_CFLAGS := $(COMMON_CFLAGS) -O2 -ffreestanding -fno-pic -no-pie -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fstack-protector-strong -mstack-protector-guard=global -fno-omit-frame-pointer -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-common -flto=auto

# Position independent where musl's static-pie start file is used, so that images lie at random addresses.
RING3_CFLAGS := $(COMMON_CFLAGS) -O2 -fPIE -fstack-protector-strong -fno-omit-frame-pointer -fcf-protection=none \
	-fno-common -isystem $(BUILD)/include

# Where set-up puts the sources of libraries that are compiled here; the host tests use some of them too.
SOURCES := .venv/sources
HOST_CFLAGS := $(COMMON_CFLAGS) -O1 -fno-omit-frame-pointer -D_GNU_SOURCE -isystem $(SOURCES)/llhttp/lib \
	-isystem tests/host/network/lwip -isystem kernel/decks/network/lwip -isystem $(SOURCES)/lwip/src/include
