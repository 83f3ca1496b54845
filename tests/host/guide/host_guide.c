/*
 * The Guide as a program: reads commands, one a line, answers with lines that end in one of a single dot. tests/host/guide/ talks to it.
 *
 *   workflow BLOB-IN-HEX                workflow INDEX | refused CODE STAGE
 *   submit COOKIE INDEX DEADLINE BYTES FLAGS  (an event with an input of so many bytes)
 *   now NS                              time passes
 *   take INSTANCE ROOM                  work INSTANCE TICKET COOKIE STAGE PART OUT CAPACITY PARAMS OFFSET:LENGTH...
 *   answer INSTANCE TICKET STATUS LENGTH VALUE
 *   lost INSTANCE                       it has died and is there again
 *   cancel COOKIE
 *   end                                 all is given back
 *
 * Work that comes after other work is told when that has been answered OK, as a deck would begin it; else it is answered CANCELLED here.
 * Between them come `recall INSTANCE TICKET`, `stuck INSTANCE` and `result COOKIE STATUS STAGE STEP LENGTH OFFSET VALUE`.
 */
// uses: kernel/nucleus/guide/*.c kernel/nucleus/workflow/*.c kernel/lib/ring.c tests/host/guide/trace_tally.c tests/host/relax_fake.c
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/guide/state.h"
#include "tests/host/guide/trace_tally.h"
#include "tests/host/guide/visit.h"

#define RING_SLOTS   256u
#define INSTANCES    3u /* compute.0, compute.1, disk.0 */
#define SEGMENT_GAP  (1ull << 32)
#define PARAMS_BYTES 32u
#define OUT_ROOM     100u
#define OWNER        1u

/*
 * work: may not be dropped; pure: may be; effect: not even repeated. Any parameters are right. Both decks have `either`, under numbers that
 * differ; only the disk can lack its device.
 */
#define OP(op_name, op_traits, ...)                                                                \
    { .name = (op_name),                                                                           \
      .params_bytes = PARAMS_BYTES,                                                                \
      .inputs_max = 4,                                                                             \
      .value_count = 2,                                                                            \
      .traits = (op_traits),                                                                       \
      .output = { .present = true, .base_bytes = OUT_ROOM, .of = 0xffff, .denominator = 1 },       \
      .cost_fixed_ns = 30000,                                                                      \
      __VA_ARGS__ }
#define OPS                                                                                        \
    { .name = "nop" }, OP("work", 0), OP("pure", OP_TRAIT_PURE), OP("effect", OP_TRAIT_EFFECT)

static const struct op_variant on_disk[] = { { 3, 5 } }, on_compute[] = { { 1, 4 } };
static const uint16_t disk_errors[] = { KERR_NO_DEVICE };
static const struct op_spec compute_ops[] = { OPS, OP("either", OP_TRAIT_PURE, .variant_count = 1,
                                                      .variants = on_disk) };
static const struct op_spec disk_ops[] = {
    OPS,
    { .name = "other" },
    OP("either", OP_TRAIT_PURE, .variant_count = 1, .variants = on_compute, .own_error_count = 1,
       .own_errors = disk_errors),
};
static const struct deck_spec specs[] = {
    { .name = "compute",
      .prefix = 1,
      .per_cpu = true,
      .depth = 5,
      .op_count = 5,
      .ops = compute_ops },
    { .name = "disk",
      .prefix = 3,
      .device_class = true,
      .depth = 8,
      .op_count = 6,
      .ops = disk_ops },
};

static struct {
    struct guide *guide;
    uint64_t now_ns;
    long blocks;
    struct program_ring ring;
    struct ring *events, *results;
    struct ring_producer submit;
    struct ring_consumer read;
    uint32_t workflow[GUIDE_MAX_WORKFLOWS];
    uint32_t workflow_count;
    struct kwe_work_frame frames[INSTANCES][KWE_MAX_DEPTH];
    struct kwe_work
        behind[INSTANCES]
              [KWE_MAX_DEPTH]; /* by the ticket's index of what it comes after; op 0: none */
    bool recalled[INSTANCES][KWE_MAX_DEPTH];
    uint64_t begun_ns[INSTANCES][KWE_MAX_DEPTH];
} host;

/* ---- the port ---------------------------------------------------------------------------------------------------------- */

static void *take_memory(void *context, size_t bytes)
{
    (void)context;
    host.blocks++;
    return calloc(1, bytes);
}

static void give_memory(void *context, void *block, size_t bytes)
{
    (void)context;
    (void)bytes;
    host.blocks--;
    free(block);
}

static const struct guide_memory memory = { .alloc_zeroed = take_memory, .free = give_memory };

static void on_deck_ready(void *context, uint8_t prefix)
{
    (void)context;
    (void)prefix;
}

static void on_ring(void *context, struct program_ring *ring)
{
    (void)context;
    (void)ring;
}

static void on_workflow_gone(void *context, uint32_t workflow)
{
    (void)context;
    (void)workflow;
}

static void on_recall(void *context, uint32_t instance, uint32_t ticket)
{
    (void)context;
    host.recalled[instance][KWE_TICKET_INDEX(ticket)] = true;
    printf("recall %u %u\n", instance, ticket);
}

static void on_stuck(void *context, uint32_t instance)
{
    (void)context;
    printf("stuck %u\n", instance);
}

static bool read_segment(void *context, uint32_t workflow, uint32_t segment, uint64_t offset,
                         void *to, size_t bytes)
{
    (void)context;
    (void)workflow;
    (void)segment;
    (void)offset;
    memset(to, 0, bytes);
    return true;
}

static void begin(void)
{
    const struct guide_config config = {
        .specs = specs,
        .spec_count = 2,
        .per_cpu_instances = 2,
        .memory = memory,
        .port = { .deck_ready = on_deck_ready,
                  .result_published = on_ring,
                  .ring_drained = on_ring,
                  .workflow_gone = on_workflow_gone,
                  .recall = on_recall,
                  .instance_stuck = on_stuck,
                  .trace = tally_keep,
                  .read_segment = read_segment },
    };
    host.guide = guide_create(&config);
    host.events = aligned_alloc(64, ring_bytes(RING_SLOTS));
    host.results = aligned_alloc(64, ring_bytes(RING_SLOTS));
    ring_init(host.events, 0);
    ring_init(host.results, 0);
    ring_producer_init(&host.submit, host.events, RING_SLOTS, 0);
    ring_consumer_init(&host.ring.events, host.events, RING_SLOTS, 0);
    ring_producer_init(&host.ring.results, host.results, RING_SLOTS, 0);
    ring_consumer_init(&host.read, host.results, RING_SLOTS, 0);
    assert(ring_open(host.guide, &host.ring, OWNER));
}

/* ---- commands ------------------------------------------------------------------------------------------------------------ */

static uint64_t number(char **rest)
{
    char *end;
    uint64_t value = strtoull(*rest, &end, 10);

    if (end == *rest) {
        fprintf(stderr, "a number is missing\n");
        exit(2);
    }
    *rest = end;
    return value;
}

static void register_workflow(char *rest)
{
    uint64_t offsets[PLAN_MAX_SEGMENTS];
    struct plan_error error;
    struct plan *plan;

    rest += strspn(rest, " ");
    size_t bytes = strcspn(rest, "\n") / 2;
    uint8_t *blob = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        const char pair[3] = { rest[2 * i], rest[2 * i + 1], '\0' };
        blob[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    enum kerr made = plan_create(&memory, specs, 2, 2, blob, bytes, &plan, &error);
    free(blob);
    if (made != KERR_OK) {
        printf("refused %d %u\n", made, error.stage);
        return;
    }
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        offsets[i] = (i + 1) * SEGMENT_GAP;
    }
    uint32_t *id = &host.workflow[host.workflow_count];
    enum kerr done = guide_register(host.guide, plan, OWNER, 1ull << 44, offsets, id);
    assert(done == KERR_OK);
    printf("workflow %u\n", host.workflow_count++);
}

static void submit(char *rest)
{
    struct kwe_event event = { .cookie = number(&rest) };

    event.workflow = host.workflow[number(&rest)];
    event.deadline_ns = number(&rest);
    event.input_length = number(&rest);
    event.flags = (uint32_t)number(&rest);
    assert(ring_push(&host.submit, &event) == RING_OK);
}

/* `before`: the output's length of what it came after. */
static void tell_work(uint32_t instance, const struct kwe_work *work, uint32_t before)
{
    const uint32_t index = KWE_TICKET_INDEX(work->ticket);
    const struct kwe_work_frame *frame = &host.frames[instance][index];
    const struct stage_run *run = host.guide->instance[instance].hands->run[index];
    const uint64_t part = run_stage(run)->is_body ? run_part(run) : 0;

    host.begun_ns[instance][index] = host.now_ns;
    printf("work %u %u %" PRIu64 " %u %" PRIu64 " %" PRIu64 " %u ", instance, work->ticket,
           run->event->cookie, work->stage, part, work->out_offset, work->out_capacity);
    for (uint32_t k = 0; k < PARAMS_BYTES; k++) {
        printf("%02x", frame->params[k]);
    }
    for (uint32_t k = 0; k < work->input_count; k++) {
        const uint32_t length = frame->input[k].length;
        printf(" %" PRIu64 ":%u", frame->input[k].offset,
               length == KWE_LENGTH_OF_BEFORE ? before : length);
    }
    printf("\n");
}

static void take(char *rest)
{
    struct kwe_work work[KWE_MAX_DEPTH];
    struct guide_vector vector;
    const uint32_t instance = (uint32_t)number(&rest), room = (uint32_t)number(&rest);

    uint32_t count =
        visit_take(host.guide, instance, host.now_ns, work, host.frames[instance], room, &vector);
    for (uint32_t i = 0; i < count; i++) {
        host.recalled[instance][KWE_TICKET_INDEX(work[i].ticket)] = false;
        if (work[i].after == 0) {
            tell_work(instance, &work[i], 0);
        } else {
            host.behind[instance][work[i].after - 1] = work[i];
        }
    }
}

static void give_answer(uint32_t instance, const struct kwe_completion *completion)
{
    struct kwe_work *place = &host.behind[instance][KWE_TICKET_INDEX(completion->ticket)];
    const struct kwe_work behind = *place;

    place->op = 0;
    enum kerr done = visit_answer(host.guide, instance, completion, 1, host.now_ns);
    assert(done == KERR_OK);
    if (behind.op == 0) {
        return;
    }
    if (completion->status == KERR_OK &&
        !host.recalled[instance][KWE_TICKET_INDEX(behind.ticket)]) {
        tell_work(instance, &behind, completion->out_length);
    } else {
        give_answer(instance,
                    &(struct kwe_completion){ .ticket = behind.ticket, .status = KERR_CANCELLED });
    }
}

static void answer(char *rest)
{
    const uint32_t instance = (uint32_t)number(&rest);
    struct kwe_completion completion = { .ticket = (uint32_t)number(&rest) };

    completion.status = (uint16_t)number(&rest);
    completion.out_length = (uint32_t)number(&rest);
    completion.value[0] = number(&rest);
    completion.value[1] = completion.value[0] + 1;
    completion.elapsed_ns =
        host.now_ns - host.begun_ns[instance][KWE_TICKET_INDEX(completion.ticket)];
    give_answer(instance, &completion);
}

static void lose(char *rest)
{
    const uint32_t instance = (uint32_t)number(&rest);

    memset(host.behind[instance], 0, sizeof(host.behind[instance]));
    guide_instance_lost(host.guide, instance, host.now_ns);
}

static void show_results(void)
{
    struct kwe_result result;

    while (ring_pop(&host.read, &result) == RING_OK) {
        printf("result %" PRIu64 " %u %u %u %u %" PRIu64 " %" PRIu64 "\n", result.cookie,
               result.status, result.stage, result.step, result.length, result.offset,
               result.value);
    }
}

static void end(void)
{
    for (uint32_t i = 0; i < host.workflow_count; i++) {
        const struct workflow *workflow = workflow_find(host.guide, host.workflow[i]);
        tally_agrees(workflow->id, workflow->stage_status, workflow->plan->stage_count);
        guide_unregister(host.guide, host.workflow[i], host.now_ns);
    }
    guide_collect(host.guide);
    ring_abandon(host.guide, &host.ring);
    ring_close(host.guide, &host.ring);
    guide_destroy(host.guide);
    tally_end();
    free(host.events);
    free(host.results);
    assert(host.blocks == 0);
    memset(&host, 0, sizeof(host));
    begin();
}

static void obey(char *line)
{
    char *rest = line + strcspn(line, " \n");
    const size_t length = (size_t)(rest - line);

    if (strncmp(line, "workflow", length) == 0) {
        register_workflow(rest);
    } else if (strncmp(line, "submit", length) == 0) {
        submit(rest);
    } else if (strncmp(line, "now", length) == 0) {
        host.now_ns = number(&rest);
        guide_expire(host.guide, host.now_ns);
    } else if (strncmp(line, "take", length) == 0) {
        take(rest);
    } else if (strncmp(line, "answer", length) == 0) {
        answer(rest);
    } else if (strncmp(line, "lost", length) == 0) {
        lose(rest);
    } else if (strncmp(line, "cancel", length) == 0) {
        (void)guide_cancel_event(host.guide, &host.ring, number(&rest), host.now_ns);
    } else if (strncmp(line, "end", length) == 0) {
        end();
    } else {
        fprintf(stderr, "no such command: %s", line);
        exit(2);
    }
    if (host.guide != NULL) {
        assert(ring_intake(host.guide, &host.ring, host.now_ns) == KERR_OK);
        show_results();
    }
    printf(".\n");
    fflush(stdout);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;

    begin();
    while (getline(&line, &room, stdin) > 0) {
        obey(line);
    }
    free(line);
    ring_close(host.guide, &host.ring);
    guide_destroy(host.guide);
    free(host.events);
    free(host.results);
    return 0;
}
