/*
 * deck_faults.c - every way in which a deck can go wrong, one after the other: it alone dies, its event is told, all others go on, it comes
 * back. Which ways: the boot file `ways`, words from the table below; empty: all.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_faulty.h"
#include "userland/libkwe/kwe_operations.h"

#define OTHERS     24u
#define DATA_BYTES 64u
#define BAD_COOKIE 1000u

struct way {
    const char *name;
    uint16_t op;
    uint32_t how; /* its parameter, when it has one */
};

static const struct way ways[] = {
    { "null", FAULTY_OP_CRASH, 0 },         { "jump", FAULTY_OP_CRASH, 1 },
    { "stack", FAULTY_OP_CRASH, 2 },        { "data", FAULTY_OP_CRASH, 3 },
    { "divide", FAULTY_OP_CRASH, 4 },       { "halt", FAULTY_OP_CRASH, 5 },
    { "fibre", FAULTY_OP_FIBRE_CRASH, 0 },  { "abort", FAULTY_OP_GIVE_UP, 0 },
    { "exit", FAULTY_OP_GIVE_UP, 1 },       { "die", FAULTY_OP_GIVE_UP, 2 },
    { "trap", FAULTY_OP_GIVE_UP, 3 },       { "input", FAULTY_OP_SCRIBBLE, 0 },
    { "constants", FAULTY_OP_SCRIBBLE, 1 }, { "frame", FAULTY_OP_SCRIBBLE, 2 },
    { "nucleus", FAULTY_OP_SCRIBBLE, 3 },   { "text", FAULTY_OP_SCRIBBLE, 4 },
    { "rodata", FAULTY_OP_SCRIBBLE, 5 },    { "free_slot", FAULTY_OP_LIE, 0 },
    { "old_ticket", FAULTY_OP_LIE, 1 },     { "twice", FAULTY_OP_LIE, 2 },
    { "too_much", FAULTY_OP_LIE, 3 },       { "bad_status", FAULTY_OP_LIE, 4 },
    { "done_count", FAULTY_OP_LIE, 5 },     { "work_count", FAULTY_OP_LIE, 6 },
    { "too_long", FAULTY_OP_TOO_LONG, 0 },  { "spin", FAULTY_OP_SPIN, 0 },
    { "poll", FAULTY_OP_POLL, 0 },
};

static bool has_input(uint16_t op)
{
    return op == FAULTY_OP_SCRIBBLE || op == FAULTY_OP_LIE || op == FAULTY_OP_TOO_LONG;
}

static bool has_params(uint16_t op)
{
    return op == FAULTY_OP_CRASH || op == FAULTY_OP_GIVE_UP || op == FAULTY_OP_SCRIBBLE ||
           op == FAULTY_OP_LIE;
}

static void register_way(const struct way *way, struct kwe_workflow_info *info)
{
    /* All parameter structs here are one number. */
    const struct faulty_crash_params params = { .how = way->how };
    struct kwe_builder *builder = kwe_builder_create(way->name);

    kwe_stage_t stage =
        kwe_stage(builder, "bad", FAULTY_PREFIX, way->op, has_params(way->op) ? &params : NULL,
                  has_params(way->op) ? sizeof(params) : 0);
    if (has_input(way->op)) {
        kwe_input_event(builder, stage, 0);
    }
    check_register(builder, info);
}

struct good {
    struct kwe_workflow_info echo;   /* through the deck that dies */
    struct kwe_workflow_info digest; /* through another */
};

static void register_good(struct good *good)
{
    struct kwe_builder *builder = kwe_builder_create("echo");
    kwe_stage_t stage = kwe_faulty_echo(builder, "echo", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_result(builder, stage);
    check_register(builder, &good->echo);

    builder = kwe_builder_create("digest");
    stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_result(builder, stage);
    check_register(builder, &good->digest);
    memset(kwe_program_memory(&good->echo), 'e', DATA_BYTES);
    memset(kwe_program_memory(&good->digest), 'd', DATA_BYTES);
}

/* The deck answers, after it has come back. Returns its generation. */
static uint64_t run_echo(struct kwe_rings *rings, const struct good *good)
{
    struct kwe_event event = { .cookie = 7,
                               .workflow = good->echo.workflow,
                               .input_length = DATA_BYTES };
    struct kwe_result result;

    check_run(rings, &event, &result);
    CHECK(result.status == KERR_OK, "echo: %s", kerr_sentence((enum kerr)result.status));
    CHECK(result.length == DATA_BYTES, "%u bytes", result.length);
    CHECK(memcmp(kwe_result_bytes(&good->echo, &result), kwe_program_memory(&good->echo),
                 DATA_BYTES) == 0,
          "echo of other bytes");
    return result.value;
}

/* A deck's own calls refuse what they must, and it lives on. */
static void try_calls(struct kwe_rings *rings)
{
    struct kwe_workflow_info info;
    struct kwe_result result;
    struct kwe_builder *builder = kwe_builder_create("calls");

    kwe_result(builder, kwe_faulty_calls(builder, "calls"));
    check_register(builder, &info);
    struct kwe_event event = { .workflow = info.workflow };
    check_run(rings, &event, &result);
    CHECK(result.status == KERR_OK && result.value == 0, "%s, %llu wrong answers",
          kerr_name((enum kerr)result.status), (unsigned long long)result.value);
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

/* One bad event among others of another deck; each gets its one result, and only the bad one fails. */
static void run_way(struct kwe_rings *rings, const struct good *good, const struct way *way)
{
    struct kwe_event events[OTHERS + 1];
    struct kwe_workflow_info bad;
    uint8_t seen[OTHERS] = { 0 };
    uint32_t bad_seen = 0;

    register_way(way, &bad);
    memset(kwe_program_memory(&bad), 'b', DATA_BYTES);
    for (uint32_t i = 0; i <= OTHERS; i++) {
        bool is_bad = i == OTHERS / 2;
        events[i] = (struct kwe_event){
            .cookie = is_bad           ? BAD_COOKIE
                      : i < OTHERS / 2 ? i
                                       : i - 1,
            .workflow = is_bad ? bad.workflow : good->digest.workflow,
            .input_length = is_bad && !has_input(way->op) ? 0 : DATA_BYTES,
        };
    }
    int answer = kwe_submit(rings, events, OTHERS + 1);
    CHECK(answer == OTHERS + 1, "%s: submitted %d", way->name, answer);
    for (uint32_t i = 0; i <= OTHERS; i++) {
        struct kwe_result result;
        check_result(rings, &result, 20000000000u);
        if (result.cookie == BAD_COOKIE) {
            bad_seen++;
            /* Its first answer was one, and counts: only the second breaks the rules. */
            bool answered = strcmp(way->name, "twice") == 0;
            CHECK(answered ? result.status == KERR_OK
                           : result.status == KERR_DECK_FAULT && result.deck == FAULTY_PREFIX &&
                                 result.stage == 0 && result.length == 0,
                  "%s: %s, deck %u, stage %u", way->name, kerr_name((enum kerr)result.status),
                  result.deck, result.stage);
        } else {
            CHECK(result.cookie < OTHERS && result.status == KERR_OK && result.length == 32,
                  "%s: event %llu: %s", way->name, (unsigned long long)result.cookie,
                  kerr_name((enum kerr)result.status));
            CHECK(bad_seen == 0 || (way->op != FAULTY_OP_SPIN && way->op != FAULTY_OP_POLL),
                  "event %llu had to wait for the one that loops",
                  (unsigned long long)result.cookie);
            seen[result.cookie]++;
        }
    }
    for (uint32_t i = 0; i < OTHERS; i++) {
        CHECK(seen[i] == 1, "%s: event %u has %u results", way->name, i, seen[i]);
    }
    CHECK(bad_seen == 1, "%s: the bad event has %u results", way->name, bad_seen);
    struct kwe_result more;
    CHECK(!kwe_result_next(rings, &more), "%s: one result too many", way->name);
    CHECK(*(const uint8_t *)kwe_program_memory(&bad) == 'b', "%s: its input was changed",
          way->name);
    CHECK(kwe_unregister(&bad) >= 0, "%s: unregister", way->name);
}

int main(void)
{
    static char wanted[256];
    struct kwe_rings rings;
    struct good good;

    check_option("ways", wanted, sizeof(wanted));
    check_rings(&rings, 64);
    register_good(&good);
    uint64_t generation = run_echo(&rings, &good);
    try_calls(&rings);
    CHECK(generation == 1, "generation %llu", (unsigned long long)generation);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (wanted[0] != '\0' && strstr(wanted, ways[i].name) == NULL) {
            continue;
        }
        kwe_log("now %s", ways[i].name);
        run_way(&rings, &good, &ways[i]);
        generation++;
        uint64_t now = run_echo(&rings, &good);
        CHECK(now == generation, "%s: generation %llu, not %llu", ways[i].name,
              (unsigned long long)now, (unsigned long long)generation);
    }
    return 0;
}
