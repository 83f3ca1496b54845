/*
 * dma_rng.c - a deck gives its virtio device a descriptor that points where it must not: nothing is written there, the fault is recorded,
 * and after the deck's death the device is reset and works for its successor.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_rng.h"

#define BYTES  64u
#define ROUNDS 3u

static struct kwe_rings rings;

static void run(uint64_t address, struct kwe_result *result, uint8_t *bytes)
{
    struct kwe_workflow_info info;
    struct kwe_builder *builder = kwe_builder_create("fill");

    kwe_result(builder,
               kwe_rng_fill(builder, "fill", &(struct rng_fill_params){ .address = address }));
    kwe_slots(builder, 1);
    check_register(builder, &info);
    struct kwe_event event = { .workflow = info.workflow };
    check_run(&rings, &event, result);
    if (result->length == BYTES) {
        memcpy(bytes, kwe_result_bytes(&info, result), BYTES);
    }
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

int main(void)
{
    static const uint8_t zeros[BYTES];
    const uint64_t targets[ROUNDS] = { 0x100000, 0xffffffff80100000ull, 0 };
    uint8_t mine[BYTES] = { 0 }, bytes[BYTES];
    struct kwe_statistics statistics;
    struct kwe_result result;

    check_rings(&rings, 8);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        memset(bytes, 0, BYTES);
        run(0, &result, bytes);
        CHECK(result.status == KERR_OK && result.value == BYTES && memcmp(bytes, zeros, BYTES) != 0,
              "round %u: %s, %llu bytes", i, kerr_name((enum kerr)result.status),
              (unsigned long long)result.value);
        check_statistics(&statistics);
        uint64_t before = statistics.iommu_faults;
        run(targets[i] == 0 ? (uintptr_t)mine : targets[i], &result, bytes);
        /* What the device says of it is its own affair: QEMU's has not noticed. */
        check_statistics(&statistics);
        CHECK(statistics.iommu_faults > before, "round %u: no fault was recorded", i);
        CHECK(memcmp(mine, zeros, BYTES) == 0, "round %u: it was written to", i);
        CHECK(kwe_call_inject(RNG_PREFIX, 0, 0) == 0, "inject");
    }
    run(0, &result, bytes);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    return 0;
}
