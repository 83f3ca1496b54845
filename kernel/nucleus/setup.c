/* setup.c - the nucleus's own parts, in the order in which they can stand. */
#include "kernel/nucleus/setup.h"

#include "kernel/nucleus/exit.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/options.h"
#include "kernel/nucleus/told.h"

static void *guide_alloc_zeroed(void *context, size_t bytes)
{
    return heap_alloc_zeroed(context, bytes);
}

static void guide_free_block(void *context, void *block, size_t bytes)
{
    heap_free(context, block, bytes);
}

struct guide_memory nucleus_guide_memory(struct nucleus *nucleus)
{
    return (struct guide_memory){ .alloc_zeroed = guide_alloc_zeroed,
                                  .free = guide_free_block,
                                  .context = &nucleus->heap };
}

/* "trace", and for tests and long runs "trace_room=RECORDS". */
static void begin_trace(struct nucleus *nucleus, const char *command_line)
{
    char digits[11];
    uint32_t room = 0;

    if (!options_has(command_line, "trace")) {
        return;
    }
    options_value(command_line, "trace_room", "", digits, sizeof(digits));
    for (const char *digit = digits; *digit >= '0' && *digit <= '9'; digit++) {
        room = room * 10 + (uint32_t)(*digit - '0');
    }
    if (!trace_begin(nucleus, room)) {
        log_line("nucleus", "no memory for a trace");
    }
}

/* ---- in order ----------------------------------------------------------------------------------------------------------- */

static uint32_t count_programs(const char *command_line)
{
    char names[OPTIONS_NAMES_MAX];
    char *rest = names;
    uint32_t count = 0;

    options_programs(command_line, names);
    while (count < MAX_PROGRAMS && options_next_word(&rest, ',') != NULL) {
        count++;
    }
    return count;
}

struct nucleus *setup_nucleus(const struct boot_info *boot)
{
    /* The only nucleus there is lies where arch's image has room for it; all others get it as an argument. */
    struct nucleus *nucleus = port_nucleus_memory(sizeof(*nucleus));

    frames_init(&nucleus->frames, boot);
    return nucleus;
}

void setup_services(struct nucleus *nucleus, const struct boot_info *boot)
{
    heap_init(&nucleus->heap, &nucleus->frames);
    nucleus->debug = options_has(boot->command_line, "debug");
    nucleus->deterministic = options_has(boot->command_line, "deterministic");
    nucleus->programs_named = count_programs(boot->command_line);
    nucleus->next_restart_ns = UINT64_MAX;
    begin_trace(nucleus, boot->command_line);
    if (!payload_open(&nucleus->payload, port_direct(boot->payload), boot->payload_bytes)) {
        log_line("nucleus", "module 0 is no payload archive: start QEMU with -initrd payload.kpak");
        nucleus_exit(EXIT_MACHINE, "no payload");
    }
}

void setup_guide(struct nucleus *nucleus)
{
    struct guide_config config = {
        .specs = deck_specs,
        .spec_count = deck_spec_count,
        .per_cpu_instances = nucleus->cpu_count,
        .first_instance_only = nucleus->deterministic,
        .memory = nucleus_guide_memory(nucleus),
        .port = told_port(nucleus),
    };

    nucleus->guides = guides_create(&config);
    KASSERT(nucleus->guides != NULL, "no memory at boot");
    deck_make_all(nucleus);
}
