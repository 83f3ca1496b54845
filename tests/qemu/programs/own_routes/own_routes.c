/*
 * own_routes.c - events that bring their own graph: many kinds at once in one arena, and graphs that cannot be, each refused by its code. The
 * disk has a file /whole.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_faulty.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

#define OPERATIONS 1u
#define STORAGE    3u
#define SLOTS      4u
#define ROUTES     3u
#define EVENTS     300u
#define TEXT       64u
#define ROUTE_AT   4096u /* each graph's place in the program's memory */
#define DIGEST     32u

static struct kwe_rings rings;
static struct kwe_workflow_info arena;

static struct kwe_builder *graph(const char *name)
{
    struct kwe_builder *builder = kwe_builder_create(name);

    kwe_program_bytes(builder, TEXT);
    return builder;
}

static struct kwe_event place(struct kwe_builder *builder, uint32_t which)
{
    struct kwe_event event = { .cookie = which, .input_length = TEXT };
    int bytes = kwe_route(builder, &arena, (which + 1) * ROUTE_AT, &event);

    CHECK(bytes > 0 && bytes <= (int)ROUTE_AT, "%s", kwe_builder_error(builder));
    kwe_builder_destroy(builder);
    return event;
}

/* sha256 of the event's buffer. */
static struct kwe_event digest_route(uint32_t which)
{
    struct kwe_builder *builder = graph("digest");
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);

    kwe_input_event(builder, digest, 0);
    kwe_result(builder, digest);
    return place(builder, which);
}

/* The same of what comes back from packing and unpacking it: three stages of one deck. */
static struct kwe_event packing_route(uint32_t which)
{
    struct kwe_builder *builder = graph("packing");
    kwe_stage_t pack = kwe_operations_lz4_compress(builder, "pack", KWE_STAGE_NONE);

    kwe_input_event(builder, pack, 0);
    kwe_stage_t unpack = kwe_operations_lz4_decompress(builder, "unpack", pack);
    kwe_out_limit(builder, unpack, 4096);
    kwe_result(builder, kwe_operations_sha256(builder, "digest", unpack));
    return place(builder, which);
}

/* The digest of a file. */
static struct kwe_event file_route(uint32_t which, const char *path)
{
    struct kwe_builder *builder = graph("file");
    struct storage_read_params from = storage_read_defaults();

    kwe_path(&from.path, path);
    kwe_stage_t load = kwe_storage_read(builder, "load", &from);
    kwe_out_limit(builder, load, 8192);
    kwe_result(builder, kwe_operations_sha256(builder, "digest", load));
    return place(builder, which);
}

static void one(const struct kwe_event *event, uint8_t digest[DIGEST])
{
    struct kwe_result result;

    check_run(&rings, event, &result);
    CHECK(result.status == KERR_OK && result.length == DIGEST, "route %llu: %s, stage %u",
          (unsigned long long)event->cookie, kerr_name((enum kerr)result.status), result.stage);
    memcpy(digest, kwe_result_bytes(&arena, &result), DIGEST);
}

static void every_event_goes_its_own_way(void)
{
    const struct kwe_event route[ROUTES] = { digest_route(0), packing_route(1),
                                             file_route(2, "/whole") };
    uint8_t digest[ROUTES][DIGEST];
    struct kwe_result result;
    uint32_t submitted = 0, answered = 0;

    for (uint32_t i = 0; i < ROUTES; i++) {
        one(&route[i], digest[i]);
    }
    CHECK(memcmp(digest[0], digest[1], DIGEST) == 0, "packed and unpacked it is another text");
    CHECK(memcmp(digest[0], digest[2], DIGEST) != 0, "the file is no such text");
    while (answered < EVENTS) {
        while (submitted < EVENTS) {
            struct kwe_event event = route[submitted % ROUTES];
            event.cookie = submitted;
            if (kwe_submit(&rings, &event, 1) != 1) {
                break;
            }
            submitted++;
        }
        check_result(&rings, &result, 20000000000u);
        CHECK(result.status == KERR_OK && result.length == DIGEST &&
                  memcmp(kwe_result_bytes(&arena, &result), digest[result.cookie % ROUTES],
                         DIGEST) == 0,
              "event %llu: %s", (unsigned long long)result.cookie,
              kerr_name((enum kerr)result.status));
        answered++;
    }
}

static void expect(const char *what, const struct kwe_event *event, enum kerr status,
                   uint16_t stage)
{
    struct kwe_result result;

    check_run(&rings, event, &result);
    CHECK(result.status == status && result.stage == stage, "%s: %s, stage %u", what,
          kerr_name((enum kerr)result.status), result.stage);
}

static void a_failing_stage_is_named(void)
{
    struct kwe_event event = file_route(3, "/none");

    expect("no such file", &event, KERR_NO_SUCH_FILE, 0);
    event = file_route(3, "/../whole");
    expect("outside its manifest", &event, KERR_BAD_PATH, 0);
}

static struct kwe_event foreign_route(void)
{
    struct kwe_builder *builder = graph("foreign");

    (void)kwe_faulty_touch(builder, "touch");
    return place(builder, 3);
}

static struct kwe_event large_route(void)
{
    struct kwe_builder *builder = graph("large");
    kwe_stage_t pack = kwe_operations_lz4_compress(builder, "pack", KWE_STAGE_NONE);

    kwe_input_event(builder, pack, 0);
    kwe_out_limit(builder, kwe_operations_lz4_decompress(builder, "unpack", pack), 1u << 20);
    return place(builder, 3);
}

static struct kwe_event loop_route(void)
{
    struct kwe_builder *builder = graph("loop");
    kwe_stage_t loop = kwe_until(builder, "loop", 2);
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);

    kwe_input_event(builder, digest, 0);
    kwe_end(builder, loop);
    kwe_if(builder, loop, digest, KWE_IF_LENGTH, 0, KWE_ABOVE, 0);
    return place(builder, 3);
}

/* A file that does not fit its usual room. */
static struct kwe_event growing_route(uint32_t which)
{
    struct kwe_builder *builder = graph("growing");
    struct storage_read_params from = storage_read_defaults();

    kwe_path(&from.path, "/whole");
    kwe_stage_t load = kwe_storage_read(builder, "load", &from);
    kwe_out_limit(builder, load, 4);
    kwe_out_most(builder, load, 8192);
    return place(builder, which);
}

static void an_arena_has_places_of_one_size(void)
{
    struct kwe_event event = growing_route(3);

    expect("no larger place", &event, KERR_OUTPUT_TOO_LARGE, 0);
    struct kwe_workflow *header =
        (struct kwe_workflow *)(void *)((uint8_t *)kwe_program_memory(&arena) + event.block_offset);
    header->large_slots = 1;
    expect("larger places of its own", &event, KERR_OVER_LIMITS, KWE_NO_STAGE);
}

static void what_cannot_be_is_refused(void)
{
    struct kwe_event event = foreign_route();
    expect("a deck that the arena does not have", &event, KERR_OVER_LIMITS, KWE_NO_STAGE);
    event = large_route();
    expect("more room than the arena has", &event, KERR_OVER_LIMITS, KWE_NO_STAGE);
    event = loop_route();
    expect("a loop", &event, KERR_OVER_LIMITS, KWE_NO_STAGE);

    event = digest_route(3);
    event.input_length = TEXT + 1;
    expect("a longer buffer than the graph says", &event, KERR_OVER_LIMITS, KWE_NO_STAGE);
    event = digest_route(3);
    struct kwe_stage *stage =
        (struct kwe_stage *)(void *)((uint8_t *)kwe_program_memory(&arena) + event.block_offset +
                                     sizeof(struct kwe_workflow));
    stage->op = 999;
    expect("no such operation", &event, KERR_UNKNOWN_OP, 0);
    event.block_length -= 8;
    expect("a cut graph", &event, KERR_BAD_WORKFLOW, KWE_NO_STAGE);
    event.block_offset = (uint32_t)arena.program_bytes;
    expect("outside the arena", &event, KERR_BAD_EVENT, KWE_NO_STAGE);
    event = digest_route(3);
    event.flags = 0;
    expect("an arena is no workflow", &event, KERR_BAD_EVENT, KWE_NO_STAGE);
    event.flags = KWE_EVENT_ROUTE | 2u;
    expect("unknown flags", &event, KERR_BAD_EVENT, KWE_NO_STAGE);
}

static void an_arena_must_make_sense(void)
{
    struct kwe_builder *builder = kwe_builder_create("arena");
    struct kwe_workflow_info info;

    CHECK(kwe_arena_create(builder, 0, 4096, &info) == -KERR_BAD_WORKFLOW, "no deck");
    CHECK(kwe_arena_create(builder, 1u << 31, 4096, &info) == -KERR_UNKNOWN_DECK, "deck 31");
    CHECK(kwe_arena_create(builder, 1u << OPERATIONS, 0, &info) == -KERR_BAD_WORKFLOW, "no room");
    CHECK(kwe_arena_create(builder, 1u << OPERATIONS, 1ull << 40, &info) == -KERR_OVER_LIMITS,
          "a TiB");
    kwe_builder_destroy(builder);
}

int main(void)
{
    struct kwe_builder *builder = kwe_builder_create("arena");

    kwe_slots(builder, SLOTS);
    kwe_program_bytes(builder, 5 * ROUTE_AT);
    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ);
    int made = kwe_arena_create(builder, 1u << OPERATIONS | 1u << STORAGE, 16384, &arena);
    CHECK(made == 0 && arena.slots == SLOTS, "arena: %d", made);
    kwe_builder_destroy(builder);
    memset(kwe_program_memory(&arena), 'r', TEXT);
    check_rings(&rings, 32);
    every_event_goes_its_own_way();
    a_failing_stage_is_named();
    an_arena_has_places_of_one_size();
    what_cannot_be_is_refused();
    every_event_goes_its_own_way(); /* no slot was lost */
    an_arena_must_make_sense();
    CHECK(kwe_unregister(&arena) == 0, "unregister");
    return 0;
}
