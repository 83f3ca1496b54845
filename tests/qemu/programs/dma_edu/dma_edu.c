/*
 * dma_edu.c - a deck aims its device at memory that is not its own: the IOMMU lets it reach the deck's own memory and the segments lent to it,
 * nothing else; and after the deck's death it reaches nothing at all.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_edu.h"
#include "userland/libkwe/kwe_operations.h"

#define NUCLEUS_PHYSICAL 0x100000ull /* test_iommu.py looks there too */
#define PATTERN          0xedu
#define BYTES            64u

static struct kwe_rings rings, other;

static uint64_t faults(void)
{
    struct kwe_statistics statistics;
    check_statistics(&statistics);
    CHECK(statistics.iommu_present == 1, "no IOMMU");
    return statistics.iommu_faults;
}

static bool has_pattern(const volatile uint8_t *bytes)
{
    for (uint32_t i = 0; i < BYTES; i++) {
        if (bytes[i] == PATTERN) {
            return true;
        }
    }
    return false;
}

/* One event of a workflow of one stage with an address for a parameter (or without). */
static void run(uint16_t op, uint64_t address, struct kwe_workflow_info *info,
                struct kwe_result *result)
{
    const struct edu_write_params params = { .address = address };
    bool has_params = op == EDU_OP_WRITE || op == EDU_OP_READ;
    struct kwe_builder *builder = kwe_builder_create("edu");

    kwe_result(builder, kwe_stage(builder, "edu", EDU_PREFIX, op, has_params ? &params : NULL,
                                  has_params ? sizeof(params) : 0));
    kwe_slots(builder, 1);
    check_register(builder, info);
    struct kwe_event event = { .workflow = info->workflow };
    check_run(&rings, &event, result);
}

static uint64_t do_run(uint16_t op, uint64_t address)
{
    struct kwe_workflow_info info;
    struct kwe_result result;

    run(op, address, &info, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    uint64_t value = result.value;
    CHECK(kwe_unregister(&info) == 0, "unregister");
    return value;
}

static void expect_blocked(const char *what, uint16_t op, uint64_t address)
{
    uint64_t before = faults();
    uint64_t value = do_run(op, address);
    CHECK(faults() > before, "%s: no fault was recorded", what);
    CHECK(op != EDU_OP_READ || value == 0 || value == UINT64_MAX, "%s: read 0x%llx", what,
          (unsigned long long)value);
}

/* A result of another deck, held; its workflow's arena is not the edu deck's business. */
static const volatile uint8_t *hold_digest(struct kwe_workflow_info *info)
{
    struct kwe_result result;
    struct kwe_builder *builder = kwe_builder_create("digest");

    kwe_stage_t stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_result(builder, stage);
    check_register(builder, info);
    struct kwe_event event = { .workflow = info->workflow, .input_length = 5 };
    check_run(&other, &event, &result);
    return kwe_result_bytes(info, &result);
}

/* A workflow that both route through: the device may read the other deck's segment, and not write it. */
static void shared_arena(void)
{
    struct kwe_workflow_info info;
    struct kwe_result result;
    struct kwe_rings third;

    check_rings(&third, 8);
    struct kwe_builder *builder = kwe_builder_create("both");
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, digest, 0);
    kwe_after(builder, kwe_edu_own(builder, "own"), digest);
    kwe_result(builder, digest);
    check_register(builder, &info);
    struct kwe_event event = { .workflow = info.workflow, .input_length = 5 };
    check_run(&third, &event, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    const volatile uint8_t *bytes = kwe_result_bytes(&info, &result);
    uint64_t first;
    memcpy(&first, (const void *)(uintptr_t)bytes, sizeof(first));
    uint64_t before = faults();
    CHECK(do_run(EDU_OP_READ, (uintptr_t)bytes) == first, "it may read what its deck may read");
    CHECK(faults() == before, "and without a fault");
    expect_blocked("another deck's segment in an arena of both", EDU_OP_WRITE, (uintptr_t)bytes);
    expect_blocked("the program's segment in an arena of both", EDU_OP_WRITE,
                   (uintptr_t)kwe_program_memory(&info));
    CHECK(memcmp((const void *)(uintptr_t)bytes, &first, sizeof(first)) == 0 &&
              !has_pattern(kwe_program_memory(&info)),
          "it was written to");
    CHECK(kwe_unregister(&info) == 0, "unregister");
    expect_blocked("an arena that has gone", EDU_OP_WRITE, (uintptr_t)bytes);
}

/* The deck dies with a transfer on its way to memory that stays mapped. The second death is one too many: it stays down. */
static void die_in_flight(void)
{
    struct kwe_workflow_info info;
    struct kwe_result result;

    run(EDU_OP_WRITE, 0, &info, &result);
    CHECK(result.status == KERR_OK && has_pattern(kwe_result_bytes(&info, &result)),
          "into its own output it may");
    CHECK(kwe_unregister(&info) == 0, "unregister");
    CHECK(kwe_call_inject(EDU_PREFIX, 0, 0) == 0, "inject");
    CHECK(do_run(EDU_OP_WRITE, 0) == 0, "it is back");

    run(EDU_OP_DIE, 0, &info, &result);
    CHECK(result.status == KERR_DECK_FAULT, "%s", kerr_name((enum kerr)result.status));
    check_sleep(&rings, 400000000);
    /* The deck's segment is the last one, of one slot: one page. */
    const volatile uint8_t *arena = (const volatile uint8_t *)(uintptr_t)info.arena_base;
    CHECK(info.arena_bytes > 4096, "an arena of %llu bytes", (unsigned long long)info.arena_bytes);
    CHECK(!has_pattern(arena + info.arena_bytes - 4096),
          "it was written to after its deck's death");
    struct kwe_event event = { .workflow = info.workflow };
    check_run(&rings, &event, &result);
    CHECK(result.status == KERR_DECK_DOWN, "%s", kerr_name((enum kerr)result.status));
}

int main(void)
{
    struct kwe_workflow_info digest, info;
    struct kwe_result result;
    uint8_t mine[BYTES] = { 0 };
    uint8_t before[32];

    check_rings(&rings, 8);
    check_rings(&other, 8);
    uint64_t none = faults();
    CHECK(do_run(EDU_OP_OWN, 0) == 1, "its own memory");
    CHECK(faults() == none, "faults on its own memory");

    const volatile uint8_t *held = hold_digest(&digest);
    memcpy(before, (const void *)(uintptr_t)held, sizeof(before));
    expect_blocked("the nucleus, by its physical address", EDU_OP_WRITE, NUCLEUS_PHYSICAL);
    expect_blocked("the nucleus, by its physical address", EDU_OP_READ, NUCLEUS_PHYSICAL);
    expect_blocked("the nucleus, by its own address", EDU_OP_WRITE, 0xffffffff80100000ull);
    expect_blocked("address 0", EDU_OP_READ, 8);
    expect_blocked("another workflow's arena", EDU_OP_WRITE, (uintptr_t)held);
    expect_blocked("another workflow's arena", EDU_OP_READ, (uintptr_t)held);
    expect_blocked("a program's stack", EDU_OP_WRITE, (uintptr_t)mine);
    CHECK(memcmp((const void *)(uintptr_t)held, before, sizeof(before)) == 0 && !has_pattern(mine),
          "memory was changed");
    run(EDU_OP_OWN, 0, &info, &result);
    CHECK(result.status == KERR_OK && result.value == 1, "and its own memory still");
    shared_arena();
    kwe_log("look now");
    die_in_flight();
    return 0;
}
