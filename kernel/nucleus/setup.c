/* setup.c - the nucleus's own parts, in the order in which they can stand. */
#include "kernel/nucleus/setup.h"

#include "kernel/nucleus/exit.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/options.h"
#include "kernel/nucleus/program/rings.h"
#include "kernel/nucleus/program/workflows.h"

/* ---- the Guide's port ------------------------------------------------------------------------------------------------ */

static void on_deck_ready(void *context, uint8_t prefix)
{
    deck_wake(context, prefix, port_this_cpu());
}

static void on_result_published(void *context, struct program_ring *ring)
{
    program_rings_published(context, ring);
}

static void on_ring_drained(void *context, struct program_ring *ring)
{
    program_rings_drained(context, ring);
}

static void on_workflow_gone(void *context, uint32_t workflow)
{
    workflows_gone(context, workflow);
}

static void on_recall(void *context, uint32_t instance, uint32_t ticket)
{
    struct nucleus *nucleus = context;
    deck_recall(nucleus, nucleus->instance[instance], ticket);
}

static void on_instance_stuck(void *context, uint32_t instance)
{
    const struct nucleus *nucleus = context;
    deck_fail(context, nucleus->instance[instance], "did not give back what it was asked for");
}

static bool read_segment(void *context, uint32_t id, uint32_t segment, uint64_t offset, void *to,
                         size_t bytes)
{
    const struct nucleus *nucleus = context;
    const struct workflow_arena *workflow = nucleus->workflow[GUIDE_WORKFLOW_INDEX(id)];

    return arena_read(workflow->arena, segment, offset, to, bytes);
}

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

static void on_trace(void *context, const struct kwe_trace_record *record)
{
    trace_keep(context, record);
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
        .port = {
            .deck_ready = on_deck_ready,
            .result_published = on_result_published,
            .ring_drained = on_ring_drained,
            .workflow_gone = on_workflow_gone,
            .recall = on_recall,
            .instance_stuck = on_instance_stuck,
            .read_segment = read_segment,
            .trace = nucleus->trace.records == NULL ? NULL : on_trace,
            .context = nucleus,
        },
    };

    nucleus->guide = guide_create(&config);
    KASSERT(nucleus->guide != NULL, "no memory at boot");
    deck_make_all(nucleus);
}
