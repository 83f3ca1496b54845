/*
 * real_decks.c - Storage, Hardware and Operations work at a pipeline while the deck that the boot file `deck` names is killed again and again
 * in the middle of it.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_hardware.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

#define WIDTH        96u
#define HEIGHT       64u
#define BYTES        (WIDTH * HEIGHT * 3)
#define KILLS        4u
#define BATCH        32u
#define AT_ONCE      16u
#define DIGEST_BYTES 32u

static void register_pipeline(struct kwe_workflow_info *info)
{
    struct kwe_builder *builder = kwe_builder_create("pipeline");
    struct storage_read_params read = storage_read_defaults();
    struct hardware_convolve_params convolve = hardware_convolve_defaults();

    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ);
    kwe_path(&read.path, "/pixels");
    kwe_stage_t load = kwe_storage_read(builder, "load", &read);
    kwe_out_limit(builder, load, BYTES);
    convolve.width = WIDTH;
    convolve.height = HEIGHT;
    convolve.weights[4] = 1;
    kwe_stage_t edges = kwe_hardware_convolve(builder, "edges", load, &convolve);
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", edges);
    kwe_result(builder, digest);
    kwe_slots(builder, AT_ONCE);
    check_register(builder, info);
}

struct run {
    uint8_t digest[DIGEST_BYTES]; /* of the first event: of all, since all read the same */
    uint32_t done, ended;
};

static void look_at(struct run *run, const struct kwe_workflow_info *pipeline,
                    const struct kwe_result *result, uint8_t victim)
{
    if (result->status == KERR_OK) {
        CHECK(result->length == DIGEST_BYTES &&
                  memcmp(kwe_result_bytes(pipeline, result), run->digest, DIGEST_BYTES) == 0,
              "event %llu: another digest", (unsigned long long)result->cookie);
        run->done++;
        return;
    }
    CHECK(result->status == KERR_DECK_FAULT && result->deck == victim, "event %llu: %s, deck %u",
          (unsigned long long)result->cookie, kerr_name((enum kerr)result->status), result->deck);
    run->ended++;
}

/* A batch; when half of it is done, the deck is killed. */
static void batch(struct kwe_rings *rings, struct run *run,
                  const struct kwe_workflow_info *pipeline, uint8_t victim, uint32_t instance,
                  bool kill)
{
    struct kwe_event events[BATCH];
    uint8_t seen[BATCH] = { 0 };

    for (uint32_t i = 0; i < BATCH; i++) {
        events[i] = (struct kwe_event){ .cookie = i, .workflow = pipeline->workflow };
    }
    CHECK(kwe_submit(rings, events, BATCH) == (int)BATCH, "submit");
    for (uint32_t i = 0; i < BATCH; i++) {
        struct kwe_result result;
        if (kill && i == BATCH / 2) {
            CHECK(kwe_call_inject(victim, instance, 0) == 0, "inject");
        }
        check_result(rings, &result, 20000000000u);
        CHECK(result.cookie < BATCH, "cookie");
        seen[result.cookie]++;
        look_at(run, pipeline, &result, victim);
    }
    for (uint32_t i = 0; i < BATCH; i++) {
        CHECK(seen[i] == 1, "event %u has %u results", i, seen[i]);
    }
}

/* Free frames with all decks of the pipeline just started: what they need grows with what they have had in their hands. */
static uint64_t cold_frames(struct kwe_rings *rings)
{
    struct kwe_statistics statistics;

    check_statistics(&statistics);
    for (uint32_t i = 0; i < statistics.deck[OPERATIONS_PREFIX].instances; i++) {
        CHECK(kwe_call_inject(OPERATIONS_PREFIX, i, 0) == 0, "inject");
    }
    CHECK(kwe_call_inject(STORAGE_PREFIX, 0, 0) == 0 && kwe_call_inject(HARDWARE_PREFIX, 0, 0) == 0,
          "inject");
    /* They have come up when it stays the same for a while. */
    uint64_t last = 0;
    for (uint32_t same = 0; same < 5;) {
        check_sleep(rings, 50000000);
        uint64_t now = check_free_frames(rings);
        same = now == last ? same + 1 : 0;
        last = now;
    }
    return last;
}

int main(void)
{
    static const struct {
        const char *name;
        uint8_t prefix;
    } decks[] = { { "storage", STORAGE_PREFIX },
                  { "hardware", HARDWARE_PREFIX },
                  { "operations", OPERATIONS_PREFIX } };
    struct kwe_workflow_info pipeline;
    struct kwe_statistics statistics;
    struct kwe_rings rings;
    struct kwe_result result;
    struct run run = { .done = 0 };
    uint8_t victim = 0;
    char name[32];

    check_option("deck", name, sizeof(name));
    for (size_t i = 0; i < sizeof(decks) / sizeof(decks[0]); i++) {
        victim = strcmp(decks[i].name, name) == 0 ? decks[i].prefix : victim;
    }
    check_rings(&rings, 64);
    register_pipeline(&pipeline);
    struct kwe_event event = { .cookie = 1, .workflow = pipeline.workflow };
    check_run(&rings, &event, &result);
    CHECK(result.status == KERR_OK, "the first event: %s, deck %u",
          kerr_name((enum kerr)result.status), result.deck);
    memcpy(run.digest, kwe_result_bytes(&pipeline, &result), DIGEST_BYTES);
    check_statistics(&statistics);
    uint32_t instances = statistics.deck[victim].instances;
    uint64_t before = cold_frames(&rings);
    for (uint32_t i = 0; i < KILLS; i++) {
        batch(&rings, &run, &pipeline, victim, i % instances, true);
    }
    uint32_t ended = run.ended;
    batch(&rings, &run, &pipeline, victim, 0, false);
    CHECK(run.ended == ended, "%u events ended though nobody died", run.ended - ended);
    uint64_t after = cold_frames(&rings);
    check_statistics(&statistics);
    CHECK(statistics.deck[victim].restarts == KILLS + 2 * instances, "%llu restarts",
          (unsigned long long)statistics.deck[victim].restarts);
    kwe_log("%s: killed %u times, %u events done, %u ended; %llu frames free before, %llu after",
            name, KILLS, run.done, run.ended, (unsigned long long)before,
            (unsigned long long)after);
    CHECK(after + 16 > before && before + 16 > after, "memory is not what it was");
    return 0;
}
